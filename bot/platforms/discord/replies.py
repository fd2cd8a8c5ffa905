"""Replies to interactions. Discord wants one within three seconds; a later reply is deferred first."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from io import BytesIO
from typing import Any

import discord

from bot.commands.types import Question, Reply
from bot.platforms.attempts import say_in_a_form_that_is_taken
from bot.platforms.discord.errors import FAULTS, is_late, send_error
from bot.platforms.discord.events import data_of, label_of
from bot.platforms.discord.render import render
from bot.platforms.discord.sender import content, form, view
from content.document import Document
from scheduler.errors import ContentRejected
from scheduler.log import Logger
from scheduler.types import Form, Message

log = Logger(__name__)

# Discord shows an interaction as failed after 3 s; one without a reply after this time is deferred, seconds.
PATIENCE = 1.5


class Replies:
    """Sends replies to commands, and edits the message of a pressed button."""

    def __init__(self, patience: float) -> None:
        self._patience = patience

    async def answer(
        self,
        interaction: discord.Interaction,
        work: Coroutine[Any, Any, Reply | Question | None],
        *,
        edit: bool = False,
        may_wait: bool = True,
    ) -> None:
        """Run the work of a command or press and show its reply. `edit`: the reply replaces the message.

        `may_wait`: a late reply is deferred. A form cannot be deferred.

        A command without a reply (from a person who floods the bot) is not acknowledged: Discord then tells
        the person that the bot did not respond.
        """
        task = asyncio.create_task(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._patience if may_wait else None)
            if not done:
                await interaction.response.defer(thinking=not edit)
        finally:
            reply = await task  # finish the work even if the reply cannot be shown
        if isinstance(reply, Question):
            await _ask(interaction, reply)
        elif reply is not None:
            await self._show(interaction, reply, edit=edit)
        elif edit and not interaction.response.is_done():
            await interaction.response.defer()
        elif not edit and interaction.response.is_done():  # deferred, but there is no reply
            await interaction.delete_original_response()

    def progress(self, interaction: discord.Interaction) -> Callable[[Document], Awaitable[None]]:
        """What shows how far a command is, in place of the reply that is awaited. Errors are only logged."""

        async def show(document: Document) -> None:
            if interaction.response.is_done():
                try:
                    await interaction.edit_original_response(
                        **content(render(document, Form.FULL)[0].payload)
                    )
                except FAULTS as exc:
                    log.info("progress.not_shown", reason=str(send_error(exc)))

        return show

    async def _show(self, interaction: discord.Interaction, reply: Reply, *, edit: bool) -> None:
        async def say(message: Message) -> None:
            try:
                await _say(interaction, reply, message, edit=edit)
            except discord.HTTPException as exc:
                error = send_error(exc)
                if is_late(exc) or not isinstance(error, ContentRejected):
                    raise
                raise error from exc

        await say_in_a_form_that_is_taken(reply.document, render, say)


async def _ask(interaction: discord.Interaction, question: Question) -> None:
    """Open the form of the button that was pressed."""
    pressed: Any = interaction.data or {}
    data = data_of(pressed["custom_id"])
    title = label_of(interaction.message, data)
    await interaction.response.send_modal(form(question, title or question.prompt, data))


async def _say(interaction: discord.Interaction, reply: Reply, message: Message, *, edit: bool) -> None:
    shown, buttons = content(message.payload), view(reply.rows)
    files = [discord.File(BytesIO(reply.file.content), reply.file.name)] if reply.file else []
    new: dict[str, Any] = shown | ({"view": buttons} if buttons else {}) | ({"files": files} if files else {})
    if not interaction.response.is_done():
        if edit and not reply.private:
            await interaction.response.edit_message(view=buttons, **shown)
        else:
            await interaction.response.send_message(ephemeral=reply.private, **new)
    elif not reply.private:
        await interaction.edit_original_response(view=buttons, attachments=files, **shown)
    else:
        if not edit:
            # The first follow-up would replace the deferred reply, which is public: delete that first.
            with suppress(discord.NotFound):
                await interaction.delete_original_response()
        await interaction.followup.send(ephemeral=True, **new)
