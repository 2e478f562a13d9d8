"""The help of the Lessons pane."""

from __future__ import annotations

HELP = "\n\n".join(
    [
        "What an agent keeps across episodes: a file of JSON that training or evaluation runs append to, and from "
        "which the next episode is told what past ones taught. Shown is the file of the setting lessons_file, or the "
        "one that o opened last, which is remembered; a flag, the environment, or another value of the setting in "
        "this session say more than that. It is read again when it changes; R reads it at once.",
        "The table has the tasks, with their scores from the oldest to the newest: a cell an episode, its height from "
        "0 to 1, the same for all tasks. The first row is all tasks together: it has the general rules, and the "
        "conflicts of all. / finds words in names, rules, mistake cards and episodes, and in the first row in the "
        "mistakes and successes that are of no task; s sorts.",
        "v goes through what belongs to the task under the cursor. Rules: [WORKS] came from an episode that scored "
        "0.85 or more, [AVOID] from one below 0.50; each task has ten at most. A ! stands where two rules contradict "
        "each other. Mistake cards are mistakes with what to do instead, merged where they are the same, with how "
        "often they were seen. Episodes are those of the log, which keeps the last hundred.",
        "The context block is what the next episode of the task begins with, within a budget of tokens (four "
        "characters each): t sets it, and that is remembered too. What had no room stands below it. y copies the "
        "block, or the rule, mistake or episode under the cursor where that has the focus.",
        "a records an episode, from JSON that is typed or from a .json file. Nothing is recorded where anything in it "
        "is wrong.",
        "c derives general rules, which is due every 20 episodes, from the last 30: by the chat model of the "
        "settings, which is asked about first, for each server and model, unless its answer is on disk; without one, "
        "or where it fails, from the summaries of the episodes that scored 0.85 or more. They are shown before they "
        "are kept; those that came while you were elsewhere wait for c. x stops asking, and waiting for another "
        "program that changes the file.",
        "Writing takes a lock, so that a training run and the console lose nothing of each other's, and keeps the "
        "file of before as FILE.bak. A file that cannot be read is left alone. u takes back what was recorded or kept "
        "here, as long as nobody has written since; of rules that were kept, later too.",
    ]
)
