"""The name until 0.1.0 of :mod:`alo.serve.http_api.answer_tensors`, for programs that import it."""

from alo.serve.http_api.answer_tensors import tensors_of

__all__ = ["tensors_of"]
