"""Reads e-mail: refuses spam, answers questions, forwards the rest."""

from typing import Any

from workers import WorkerEntrypoint, import_from_javascript

EmailMessage = import_from_javascript("cloudflare:email").EmailMessage
ANSWER = """From: {to}
To: {sender}
Message-ID: <answer@shop.example>
In-Reply-To: {id}
Subject: Re: {subject}

Soon.
"""


class Default(WorkerEntrypoint):
    async def email(self, message: Any, env: Any, ctx: Any) -> None:
        subject = message.headers.get("subject")
        if "spam" in subject:
            message.setReject("no spam, please")
            return
        if "crash" in subject:
            raise LookupError(f"nobody wants {subject}")
        if "?" in subject:
            id = message.headers.get("Message-ID")
            text = ANSWER.format(to=message.to, sender=message.from_, id=id, subject=subject)
            await message.reply(EmailMessage.new(message.to, message.from_, text))
            return
        raw = b"".join([piece.to_bytes() async for piece in message.raw])
        print(f"{len(raw)} of {message.rawSize} bytes")
        await message.forward("team@example.com", {"X-Shop": "1"})
