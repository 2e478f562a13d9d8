"""The help of the Promotions pane."""

from __future__ import annotations

HELP = "\n\n".join(
    [
        "What recurs: messages of many sessions that say the same, grouped by how alike they are. A group of at least "
        "three messages from at least two sessions is a candidate for a skill: a SKILL.md that tells an agent what to "
        "do the next time. Looked at are a person's requests and the assistant's plans (which tools it called, with "
        "what kind of arguments), in the folders of the agents, or in what o asks for. i lists what was left out or "
        "could not be read. Nothing leaves this machine unless the setting embedder is api; that is asked first, for "
        "each server, model and folder, and what looks like a credential is not sent.",
        "cohesion is how alike the messages of a group are: the mean cosine to their middle, 1 where all are the same. "
        "The nearest other group is told by the cosine of the middles of both. That can be above the threshold: the "
        "stable method compares all messages of two groups with each other, and their mean is lower than that of the "
        "middles. stability is in which share of 20 samples of the messages the group was found again; a low one may "
        "be chance.",
        "lexical: the embedder named embedded goes by words alone, so that the same thing in other words is another "
        "group. t sets from which cosine on messages count as alike, p the way they are grouped: stable does not "
        "depend on their order, greedy does. Both are remembered for each embedder.",
        "nearest skill: the one that is most like the pattern, by the cosine of its name and description to the "
        "middle of the group. From 0.90 on it is a duplicate, from 0.75 on merge? says that the pattern may belong "
        "into it. A skill is worded otherwise than requests are, so that by words alone its own pattern is often "
        "below both: none near does not say that there is none for this.",
        "flags: a ! stands where something in the messages reads like an instruction to override others, hides "
        "something, or looks like a credential. v shows what, message by message. Where the text of the draft itself "
        "has such a thing, a asks before it makes a skill of it.",
        "States: new was not decided on; grown has most of its messages in common with one that was; a draft waits to "
        "be accepted; accepted is a skill; rejected is not offered again. b goes through them.",
        "v shows the messages of the group or the SKILL.md as it would be written, with what is wrong with it. Enter "
        "on a message leads to it in its transcript, d drops it from the draft or takes it back. m names the skill, c "
        "changes its text by hand, f has the chat model of the settings write it; what is sent to that is said first.",
        "w writes the draft, a makes it a skill, r rejects the pattern, or the marked; a draft that is rejected stays "
        "on disk. Skills are in the folder that the setting skills_folder names, ~/.claude/skills unless it was "
        "changed, each in a folder of its name. A draft is a SKILL.md below _drafts in there, which Claude Code does "
        "not read (Codex does). u takes the latest step back, on disk too, unless a file was changed since: what "
        "somebody wrote by hand is never overwritten or removed.",
        "R looks again, x stops. / finds words in the messages, the names and the tools.",
    ]
)
