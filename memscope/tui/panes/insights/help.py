"""The help of the Insights pane."""

from __future__ import annotations

HELP = "\n\n".join(
    [
        "What sessions teach, by rules that need no model: a repeated error is a tool that failed twice or more in a "
        "session; a sequence is two or more calls of tools, none of which failed, from one plain answer of the "
        "assistant to the next; reasoning is an answer of 500 characters or more. What says the same is one row, with "
        "all places it comes from. What looks like a credential is masked.",
        "Read are the folders of the agents, or what o asks for; c reads the conversation that is open alone, and the "
        "others again. i lists what was read, left out, or could not be read. R reads again, x stops.",
        "confidence is 0 to 1: of an error by how often it came, of a sequence by how many calls there were, of "
        "reasoning by its length, of what a chat model says as that put it, or 0.50 where it put none. Evidence of an "
        "error are the first 20 messages of a session, and 100 in all of what is one row: its text has the count.",
        "a keeps the insight, or the marked, r drops it; one that is dropped is not offered again, nor is what says "
        "the same and is of its kind, until that is kept. Of two that share most of their words one is kept: the "
        "newer, or with the setting insight_winner the more confident; it has the evidence of both. What is below 0.3 "
        "is not kept, and of more than 500 the least confident and oldest leave. u takes the latest step back, "
        "wherever it was made. b goes through new, kept, dropped and all, t through the kinds.",
        "f has a chat model synthesize insights from the newest sessions, or from those of the marked insights. It "
        "first shows the prompt as it would be sent, with its size and where it would go; a second f sends it, and the "
        "first time for each server and model that is asked once more. The settings chat_url and chat_model say whom, "
        "insight_chars, insight_count and insight_rules how much. An answer is kept, and taken the next time without "
        "asking; F asks anew. Where no insight can be made of it, it is shown as it is, and w makes one of it.",
        "v shows where the insight under the cursor comes from, or the prompt and its answer. Enter on a piece of "
        "evidence leads to it in its transcript. / finds words in the texts, kinds, models and sessions; y copies the "
        "text, of all that are marked if there are any; e writes the rows, what is kept as JSON lines, and the prompt.",
    ]
)
