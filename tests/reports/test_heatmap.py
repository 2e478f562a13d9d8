"""What a heatmap pane reads off a matrix: the same as the reports it is made from."""

from __future__ import annotations

import numpy as np

from memscope.attribution.aggregates import cutoffs
from memscope.attribution.matrix import Matrix, State
from memscope.conversation.model import Conversation, Memory, Message, Text
from memscope.reports.cell import cell_detail
from memscope.reports.grid import grid
from memscope.reports.heatmap import HeatmapReader

CONVERSATION = Conversation(
    (
        Message("user", (Memory("tabs", "Indent with tabs."), Memory("name", "The tool is called Otter."))),
        Message("assistant", (Text("Otter indents with tabs."),)),
        Message("assistant", (Text("Done."),)),
    )
)
EFFECTS = np.array([[5.0, -0.005], [-9.0, 0.4]])


def matrix() -> Matrix:
    measured = np.array([-20.0, -3.0])
    return Matrix(
        keys=("tabs", "name"),
        responses=(1, 2),
        baseline=measured.copy(),
        again=measured.copy(),
        stripped=measured - 6.0,
        effects=EFFECTS.copy(),
        stray=np.full((2, 2), np.nan),
        state=np.full((2, 2), State.OK, np.uint8),
        tokens=np.array([5, 0]),
        errors={},
        cell_errors={},
    )


def test_the_strongest_cells_are_told_in_order_and_noise_is_not_among_them() -> None:
    reader = HeatmapReader(CONVERSATION, matrix(), 0.01)

    assert reader.strongest == [(1, 0), (0, 0), (1, 1)]
    assert HeatmapReader(CONVERSATION, matrix(), 1.0).strongest == [(1, 0), (0, 0)]


def test_a_grid_is_made_once_for_each_way_to_look() -> None:
    found = matrix()
    reader = HeatmapReader(CONVERSATION, found, 0.01)

    assert reader.grid() is reader.grid()
    assert reader.grid(signed=False).values.tolist() == [[5.0, 0.0], [0.0, 0.4]]
    expected = grid(found, cutoffs(found, 0.01), "share")
    assert np.array_equal(reader.grid("share").values, expected.values)
    assert reader.units == ("nats", "per token", "share")


def test_a_cell_is_told_as_the_commands_tell_it() -> None:
    found = matrix()

    assert HeatmapReader(CONVERSATION, found, 0.01).cell(0, 0) == cell_detail(
        CONVERSATION, found, cutoffs(found, 0.01), 0, 0
    )
