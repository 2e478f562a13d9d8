"""The help of the Promotions pane."""

from __future__ import annotations

HELP = "\n\n".join(
    [
        "What recurs: messages of many sessions that say the same, grouped by how alike they are. A group of at least "
        "three messages from at least two sessions is a candidate for a skill: a SKILL.md that tells an agent what to "
        "do the next time. Looked at are a person's requests and the assistant's plans (which tools it called, with "
        "what kind of arguments), in the folders of the agents, or in what o asks for. Nothing leaves this machine "
        "unless the setting embedder is api, and that is asked first.",
        "cohesion is how alike the messages of a group are: the mean cosine to their middle, 1 where all are the same. "
        "stability is in which share of 20 samples of the messages the group was found again; a low one may be chance. "
        "lexical: the embedded embedder goes by words alone, so that the same thing in other words is another group. "
        "t sets from which cosine on messages count as alike, p the way they are grouped: stable does not depend on "
        "their order, greedy does.",
        "States: new was not decided on; grown has most of its messages in common with one that was; a draft lies "
        "where no agent reads it; accepted is a skill; rejected is not offered again. b goes through them.",
        "v shows the messages of the group or the SKILL.md as it would be written, with what is wrong with it and what "
        "in it reads like an instruction to override. Enter on a message leads to it in its transcript, d drops it "
        "from the draft or takes it back. m names the skill, c changes its text by hand, f has the chat model of the "
        "settings write it; what is sent to that is said first.",
        "w writes the draft below the folder of the skills, a makes it a skill there, r rejects the pattern, or the "
        "marked. u takes the latest step back, on disk too, unless a file was changed since: what somebody wrote by "
        "hand is never overwritten or removed.",
        "R looks again, x stops. / finds words in the messages, the names and the tools.",
    ]
)
