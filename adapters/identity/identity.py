"""Puts the parts of accounts and access together; doors and commands use them by name."""

from __future__ import annotations

from adapters.identity.account_rows import AccountRows
from adapters.identity.acquaintances import Acquaintances
from adapters.identity.attempts import AttemptLimits, FloodGate
from adapters.identity.authorization import Authorization
from adapters.identity.browser_sessions import BrowserSessions
from adapters.identity.client_ip import TrustedProxies
from adapters.identity.device import DeviceGrant
from adapters.identity.directory import Directory
from adapters.identity.invitation_rows import InvitationRows
from adapters.identity.invitations import Invitations
from adapters.identity.listener import RevocationListener
from adapters.identity.oauth_clients import Clients
from adapters.identity.own_sessions import OwnSessions
from adapters.identity.password_change import PasswordChange
from adapters.identity.passwords import Passwords
from adapters.identity.personal_tokens import PersonalTokens
from adapters.identity.sessions import Sessions
from adapters.identity.set_up import SetUp
from adapters.identity.settings import IdentitySettings
from adapters.identity.sign_in import SignIn
from adapters.identity.upkeep import Upkeep
from adapters.identity.verification import TokenVerifier
from adapters.postgres.connections import Database
from hivesync_core.eventstore.log import Log


class Identity:
    """Accounts and access of one process: between ``start`` and ``stop`` it hears revocations and cleans up.

    Everything works without ``start`` too, as the commands need it: then every token is asked of the database.
    """

    def __init__(self, database: Database, log: Log, settings: IdentitySettings) -> None:
        self.settings = settings
        self.attempts = AttemptLimits(settings)
        self.flood_gate = FloodGate(settings)
        self.proxies = TrustedProxies(settings.trusted_proxies)
        self.rows = AccountRows(database)
        self.passwords = Passwords(settings.password_cost, settings.password_hashes_at_once)
        self.verifier = TokenVerifier(database)
        self.sessions = Sessions(database, settings)
        self.own_sessions = OwnSessions(database, self.verifier)
        self.directory = Directory(self.rows, self.passwords, self.verifier, log)
        self.sign_in = SignIn(self.rows, self.sessions, self.passwords, self.attempts, self.verifier, log)
        self.password_change = PasswordChange(
            self.directory, self.rows, self.passwords, self.attempts, self.verifier, log
        )
        self.personal_tokens = PersonalTokens(database, self.verifier, log)
        self.invitations = Invitations(InvitationRows(database), self.directory, self.attempts, settings, log)
        self.acquaintances = Acquaintances(database)
        self.clients = Clients(database, settings)
        self.authorization = Authorization(database, self.clients, self.sessions, self.verifier, settings)
        self.device = DeviceGrant(database, self.clients, self.sessions, self.attempts, settings)
        self.browser_sessions = BrowserSessions(database, settings)
        self.set_up = SetUp(database, self.directory, self.attempts, settings)
        self._listener = RevocationListener(database, self.verifier)
        self._upkeep = Upkeep(database, self.directory, self.verifier)

    async def start(self) -> None:
        """Begin to hear of revocations and to clean up."""
        await self._listener.start()
        await self._upkeep.start()

    async def stop(self) -> None:
        """End what ``start`` began, and the threads that hash passwords."""
        await self._upkeep.stop()
        await self._listener.stop()
        self.passwords.close()

    async def listening(self) -> None:
        """Return when revocations are heard; before, every token is asked of the database."""
        await self._listener.listening()
