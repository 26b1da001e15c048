"""An asset structure made by hand, as unit tests and code for ALO 2.x do."""

from __future__ import annotations

from alolib.structure import AssetStructure


def test_what_is_left_out_is_empty_and_no_ones_else() -> None:
    one, other = AssetStructure(), AssetStructure()

    one.envs["a"] = one.args["a"] = one.data["a"] = one.config["a"] = 1

    assert (other.envs, other.args, other.data, other.config) == ({}, {}, {}, {})


def test_data_and_config_are_the_very_ones_that_were_given() -> None:
    data, config, args = {"x": 1}, {"y": 2}, {"z": 3}

    made = AssetStructure({"step": "a"}, args, data, config)
    made.args["z"] = 4

    assert made.data is data
    assert made.config is config
    assert args == {"z": 3}


def test_a_step_without_data_is_the_first() -> None:
    assert AssetStructure().handover.is_first
    assert not AssetStructure(data={}).handover.is_first
