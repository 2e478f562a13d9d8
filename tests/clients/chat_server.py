"""A chat server for the tests, on the loopback, that answers as it is told: well, or in one of the ways servers have.

`ChatServer("array")` listens at `.url` until it is closed; `behave` changes what it does, `log` holds what was asked.
What it says comes from `words`: a text, or what makes one of the request's body.

    well        the words
    fences      the words in a fenced block
    prose       the words in the middle of a friendly text
    array       the words as a JSON array of one text
    parts       the words as a list of text parts
    thinking    the words behind a block of thinking; `reasoning`: with the thinking beside them
    calls       a call of a tool, and no words
    nothing     an empty text
    thought     thinking, cut before the first word
    limited     HTTP 429 with Retry-After, the first `times` times, then well
    excuse      "Rate limit exceeded" in place of an answer; `plain`: the same as a body that is no JSON
    slow        well, after `seconds`
    never       no answer until the server is closed
    html        a web page
    error       an error object with status 200
    shape       JSON of another shape; `choiceless`: without choices; `echo`: the key that was sent, as words
    picky       HTTP 400 where temperature or max_tokens is given, as some models do
    500, 401…   that HTTP status

`python -m tests.clients.chat_server BEHAVIOUR [PORT]` serves until it is interrupted.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.clients.loopback import Asked, LoopbackHandler, LoopbackServer

KEY = "open-sesame-1001"
MODEL = "talker"
ERROR = "the model is out of order"

Words = str | Callable[[Mapping[str, Any]], str]


def echoed(body: Mapping[str, Any]) -> str:
    """Another answer to every prompt, and the same to the same."""
    return f"Answer to: {body['messages'][-1].get('content')}"


class ChatServer(LoopbackServer):
    """What it does is said when it is made, and may change."""

    def __init__(self, behaviour: str = "well", *, port: int = 0, **settings: Any) -> None:
        super().__init__(_Handler, port)
        self.behave(behaviour, **settings)
        self.start()

    def behave(
        self,
        behaviour: str,
        *,
        words: Words = echoed,
        models: tuple[str, ...] = (MODEL,),
        key: str = "",
        times: int = 1,
        seconds: float = 0.3,
        retry_after: str = "7",
    ) -> None:
        """Do this from now on."""
        self.behaviour, self.words, self.models, self.key = behaviour, words, models, key
        self.times, self.seconds, self.retry_after = times, seconds, retry_after

    def chats(self) -> list[Asked]:
        """The requests for an answer, in order of arrival."""
        return self.asked("/chat/completions")


class _Handler(LoopbackHandler):
    server: ChatServer
    route = "/v1/chat/completions"

    def answer(self, body: Any) -> None:
        server, behaviour = self.server, self.server.behaviour
        words = server.words if isinstance(server.words, str) else server.words(body)
        if behaviour.isdigit():
            self.send(int(behaviour), {"error": {"message": ERROR}})
        elif behaviour == "limited" and len(server.chats()) <= server.times:
            self.send(429, {"error": {"message": "slow down"}}, {"Retry-After": server.retry_after})
        elif behaviour == "plain":
            self.send(200, b"Rate limit exceeded", {"Content-Type": "text/plain"})
        elif behaviour == "html":
            self.send(200, b"<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"})
        elif behaviour == "error":
            self.send(200, {"error": {"message": ERROR, "code": 7}})
        elif behaviour == "shape":
            self.send(200, ["good", "day"])
        elif behaviour == "choiceless":
            self.send(200, {"object": "chat.completion", "choices": []})
        elif behaviour == "picky" and (named := {"temperature", "max_tokens"} & body.keys()):
            what = f"Unsupported parameter: '{min(named)}' is not supported with this model."
            self.send(400, {"error": {"message": what, "code": "unsupported_parameter"}})
        elif behaviour == "never":
            server.closing.wait()
            self.close_connection = True
        else:
            if behaviour == "slow":
                time.sleep(server.seconds)
            self._chat(*self._message(behaviour, words))

    def _message(self, behaviour: str, words: str) -> tuple[dict[str, Any], str]:
        """What the model says, and why it ended."""
        if behaviour == "calls":
            function = {"name": "look", "arguments": '{"at": "it"}'}
            calls = [{"id": "call_1", "type": "function", "function": function}]
            return {"content": None, "tool_calls": calls}, "tool_calls"
        if behaviour == "reasoning":
            return {"content": words, "reasoning_content": "Let me see."}, "stop"
        content: dict[str, Any] = {
            "fences": f"```json\n{words}\n```",
            "prose": f"Of course! Here it is:\n\n{words}\n\nLet me know if there is more to do.",
            "array": json.dumps([words]),
            "parts": [{"type": "text", "text": words[:3]}, {"type": "text", "text": words[3:]}],
            "thinking": f"<think>\nLet me see.\n</think>\n\n{words}",
            "nothing": "",
            "thought": "<think>\nLet me see",
            "excuse": "Rate limit exceeded",
            "echo": f"Your key is {self.headers.get('Authorization', '').removeprefix('Bearer ')}.",
        }
        return {"content": content.get(behaviour, words)}, "length" if behaviour == "thought" else "stop"

    def _chat(self, message: Mapping[str, Any], finish: str) -> None:
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
        usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14, "details": None}
        self.send(200, {"object": "chat.completion", "model": MODEL, "choices": [choice], "usage": usage})


if __name__ == "__main__":
    served = ChatServer(sys.argv[1] if len(sys.argv) > 1 else "well", port=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(served.url, flush=True)
    threading.Event().wait()
