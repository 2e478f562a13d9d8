from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.joining import joined
from memscope.conversation.model import Memory, Part, Text

parts: st.SearchStrategy[tuple[str | None, Part]] = st.one_of(
    st.tuples(st.none(), st.builds(Text, st.text(max_size=3))),
    st.tuples(st.none(), st.builds(Memory, st.sampled_from("ab"), st.text(max_size=3))),
    st.sampled_from("ab").flatmap(lambda key: st.tuples(st.just(key), st.builds(Memory, st.just(key), st.text()))),
)


@given(st.lists(parts, max_size=8))
def test_neighbours_of_one_owner_become_one_and_no_text_changes(given_: list[tuple[str | None, Part]]) -> None:
    found = list(joined(given_))

    assert "".join(part.text for part in found) == "".join(part.text for _, part in given_)  # type: ignore[union-attr]
    owners = [owner for owner, _ in given_]
    runs = sum(owner is None or at == 0 or owners[at - 1] != owner for at, owner in enumerate(owners))
    assert len(found) == runs
    assert [part for part in found if isinstance(part, Text)] == [p for _, p in given_ if isinstance(p, Text)]
