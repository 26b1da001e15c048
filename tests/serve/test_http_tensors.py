"""The name that programs written for 0.1.0 import."""

from alo.serve import http_tensors
from alo.serve.http_api import answer_tensors


def test_tensors_are_made_under_the_old_name_too() -> None:
    assert http_tensors.tensors_of is answer_tensors.tensors_of
