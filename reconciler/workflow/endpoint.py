"""Which Codat a run speaks to, its platforms, and how a run comes to its end.

Every command that may speak to Codat makes an ``Endpoint``, ``explain`` of a code too, which then does not:
so the HTTP client and asyncio are imported where they are used.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from reconciler.diagnostics import Diagnostic, RefusedError
from reconciler.model import Platform
from reconciler.secret_refs import Secret
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.sandbox import SERVED_PORT, embedded_sandbox
from reconciler.workspace import Limits, Workspace

if TYPE_CHECKING:
    from reconciler.codat import ReadClient

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns or raises, in an event loop of its own.

    The main task of the loop ends with neither. As it gives Ctrl-C back, ``asyncio.run`` makes Python write
    that task out, its result or its error too: a whole plan, as text that nobody reads.
    """
    import asyncio
    from concurrent.futures import Future

    told: Future[T] = Future()

    async def main() -> None:
        try:
            told.set_result(await work)
        except Exception as error:  # noqa: BLE001 - it is raised again below, as it is
            told.set_exception(error)

    asyncio.run(main())  # noqa: TID251
    return told.result()


DEFAULT_API_URL: Final = "https://api.codat.io"
SANDBOX_API: Final = "sandbox"
"""What a plan names as its API when it was made against the embedded sandbox."""

_EMBEDDED_URL: Final = f"http://127.0.0.1:{SERVED_PORT}"
"""Where the same sandbox answers once it is served: link URLs made in this process begin with it."""

C = TypeVar("C", bound="ReadClient")


def pace(api: str, limits: Limits) -> int | None:
    """The requests a minute that this API is asked at most; none for the embedded sandbox."""
    return None if api == SANDBOX_API else limits.requests_per_minute


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API is, from flags and environment; ``sandbox_file`` is set for the embedded sandbox."""

    environ: Mapping[str, str]
    api_url: str | None = None
    sandbox_file: Path | None = None

    @property
    def is_sandbox(self) -> bool:
        """Whether this is the embedded sandbox."""
        return self.sandbox_file is not None

    @property
    def url(self) -> str:
        """The API's base URL.

        Raises:
            CodatSyncError: it is neither https nor loopback.

        """
        if self.is_sandbox:
            return _EMBEDDED_URL
        from reconciler.codat import check_api_url

        return check_api_url(self.api_url or self.environ.get("CODAT_API_URL") or DEFAULT_API_URL)

    @property
    def name(self) -> str:
        """What a plan calls this API."""
        return SANDBOX_API if self.is_sandbox else self.url

    def check(self, workspace: Workspace) -> None:
        """Refuse to run specs that are for a sandbox alone against anything that may be real.

        Raises:
            RefusedError: ``sandboxOnly`` specs, and the API is neither embedded nor on loopback.

        """
        if workspace.sandbox_only:
            self.refuse_sandbox_only()

    def refuse_sandbox_only(self) -> None:
        """Refuse specs that say ``sandboxOnly``, unless this API is a sandbox.

        Raises:
            RefusedError: the API is neither embedded nor on loopback.

        """
        from reconciler.codat import is_loopback

        if self.is_sandbox or is_loopback(urlsplit(self.url).hostname or ""):
            return
        raise RefusedError(
            Diagnostic(
                CommandCode.SANDBOX_ONLY,
                f"these specs are for a sandbox (sandboxOnly in workspace.yaml), and {self.url} is none",
                fix="pass --sandbox, or write specs of your own beside a workspace.yaml of their own",
            )
        )

    @asynccontextmanager
    async def open(
        self,
        client: type[C],
        limits: Limits,
        on_wait: Callable[[float, str], None] | None = None,
        *,
        hurries: bool = False,
    ) -> AsyncIterator[C]:
        """A client of this API; the embedded sandbox is not paced, because nobody else asks it.

        One that ``hurries`` reads faster than ``limits`` say while plenty of the day's quota remains.

        Raises:
            CodatSyncError: no credentials, or a URL that must not be used.

        """
        from reconciler.codat import asgi_transport, connect, credentials

        if self.sandbox_file is None:
            async with connect(
                client,
                self.url,
                credentials(self.environ),
                limits=limits,
                hurries=hurries,
                on_wait=on_wait,
            ) as opened:
                yield opened
            return
        with closing(embedded_sandbox(self.sandbox_file)) as sandbox:
            async with connect(
                client,
                self.url,
                Secret("Basic c2FuZGJveA=="),
                limits=limits,
                transport=asgi_transport(sandbox),
                paced=False,
                on_wait=on_wait,
            ) as opened:
                yield opened


def platforms(endpoint: Endpoint) -> tuple[Platform, ...]:
    """Codat's integrations by name.

    Raises:
        CodatSyncError: no credentials, or Codat cannot be read.

    """
    return run(_platforms(endpoint))


async def _platforms(endpoint: Endpoint) -> tuple[Platform, ...]:
    from reconciler.codat import ReadClient

    async with endpoint.open(ReadClient, Limits()) as client:
        return tuple(
            sorted(await client.platforms(), key=lambda platform: (platform.name.casefold(), platform.key))
        )
