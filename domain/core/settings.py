"""Settings of a process, read once from `WAARBORG_*`; no other code reads the environment."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _asyncpg(url: str) -> str:
    """Add the driver to a PostgreSQL address; hosting providers give `postgres://` and `postgresql://`."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        if url:
            raise ValueError("a database address starts with postgresql://")
        return url
    if scheme not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        raise ValueError(f"a database address starts with postgresql://, not {scheme}://")
    return f"postgresql+asyncpg://{rest}"


_REDIS = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
_CLUSTER = ("redis+cluster", "rediss+cluster")


def _redis(url: str) -> str:
    """Refuse a Redis address that redis-py would refuse only at the first command."""
    parts = urlsplit(url)
    if url and parts.scheme not in {*_REDIS, *_CLUSTER}:
        raise ValueError(
            "a Redis address starts with redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://"
        )
    if parts.scheme in _CLUSTER and parts.path.strip("/0"):
        raise ValueError("a Redis Cluster has one database, number 0")
    if parts.scheme.endswith("+sentinel") and not parts.path.strip("/"):
        raise ValueError(
            "the address ends with the name of the Sentinels' master: redis+sentinel://HOST:26379/MASTER"
        )
    return url


def _queue(url: str) -> str:
    """Refuse a Redis Cluster, because arq's commands use several keys at once (CROSSSLOT)."""
    if urlsplit(url).scheme in _CLUSTER:
        raise ValueError("the job queue cannot use a Redis Cluster: give a separate Redis server")
    return _redis(url)


# Addresses carry passwords: `repr=False` keeps them out of logs and tracebacks that print the settings.
DatabaseUrl = Annotated[str, AfterValidator(_asyncpg), Field(repr=False)]
RedisUrl = Annotated[str, AfterValidator(_redis), Field(repr=False)]
QueueUrl = Annotated[str, AfterValidator(_queue), Field(repr=False)]


def _network(text: str) -> str:
    """Refuse a text that is neither an IP address nor a network."""
    return str(ip_network(text.strip()))


Network = Annotated[str, AfterValidator(_network)]


class OidcIssuer(BaseModel):
    """An OpenID Connect provider; its users are those of the company with the same e-mail address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    """The `iss` claim of the tokens, such as `https://login.example/realms/guards`."""
    audience: str
    """The `aud` claim of the tokens: the name of this API at the provider."""
    company: str
    """The name of the security company."""
    trust_email: bool = False
    """Whether addresses are accepted without `email_verified`; only where users cannot choose their own address."""
    jwks_url: str = ""
    """Address of the provider's keys; found at `ISSUER/.well-known/openid-configuration` when not given."""

    @model_validator(mode="after")
    def _is_private(self) -> Self:
        for url in filter(None, (self.issuer, self.jwks_url)):
            parts = urlsplit(url)
            if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
                raise ValueError(f"{url} must begin with https://")
        return self


class Settings(BaseSettings):
    """Settings of one process; `Settings()` reads the environment, keyword arguments take precedence.

    An empty `database_url` or `redis_url` means the embedded server of the data directory, which
    `api.embedded.provided(settings)` fills in. Raises pydantic's `ValidationError` on invalid values.
    """

    model_config = SettingsConfigDict(env_prefix="WAARBORG_", extra="ignore", frozen=True)

    data: Path = Path("var")
    """Directory of embedded servers, photos and logs; relative to the working directory."""

    database_url: DatabaseUrl = ""
    """Login that serves requests: it sees the rows of one company at a time and owns no table."""
    system_database_url: DatabaseUrl = ""
    """Login for work across companies, such as the relay: it bypasses row-level security."""
    owner_database_url: DatabaseUrl = ""
    """The login that owns the tables and runs migrations; the same as `database_url` when not given."""
    redis_url: RedisUrl = ""
    """Streams and last-known positions: one Redis, a Sentinel's master, or a Cluster."""
    jobs_redis_url: QueueUrl = ""
    """Redis server of the job queue, which cannot use a Redis Cluster; the same as `redis_url` when not given."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    """Port of the API; 0 chooses a free one."""

    signing_key_file: Path | None = None
    """Ed25519 private key (PEM) that signs tokens; created as `DATA/signing.pem` when not given."""
    retired_key_files: tuple[Path, ...] = ()
    """Former signing keys: their tokens are valid until they expire. Cursors are encrypted with the last one."""
    oidc: tuple[OidcIssuer, ...] = ()
    """Identity providers whose tokens are accepted, each for one company."""
    invitation_hours: int = Field(default=48, ge=1, le=24 * 30)
    """How many hours an invitation to set a password is valid."""
    password_reset_minutes: int = Field(default=30, ge=5, le=24 * 60)
    """How many minutes a password reset link is valid."""
    second_factor: Literal["optional", "staff"] = "optional"
    """Whether staff need a second factor; until they have one, they can only set it up."""
    sentiment: Literal["best", "plain"] = "best"
    """Method that reads what clients write: the encoder where it is installed, or the plain one for less load."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of proxies whose `X-Forwarded-For` is trusted, such as `10.0.0.0/8`; none by default."""
    development: bool = False
    """Enables the GraphiQL page, introspection and field suggestions. `up` on a local address enables it by itself."""
    demo: bool = False
    """Whether the start page hands out tokens. Never enable it with real clients."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins besides our own whose pages may call the API, such as `https://app.example`."""

    trusted_documents: Path | None = None
    """A manifest of GraphQL documents; when given, client roles can run no other documents."""
    budget_per_s: float = Field(default=10_000, gt=0)
    """Cost (`extensions.cost`) per second of an actor's operations together."""
    budget_burst: float = Field(default=500_000, ge=100_000)
    """Cost that an actor may spend at once; the most expensive operation allowed costs 100,000."""
    budget_without_redis: Literal["open", "closed"] = "open"
    """Behaviour without Redis: `open` counts in each process separately, `closed` refuses all until Redis is back."""

    incidents_per_client_user: int = Field(default=20, ge=1)
    """How many incidents one client user may open in ten minutes."""
    connections: int = Field(default=20_000, ge=1)
    """WebSockets and event streams that one API process keeps open."""
    connections_per_company: int = Field(default=10_000, ge=1)
    """The same limit for one security company with its clients and partners."""
    subscriptions_per_socket: int = Field(default=50, ge=1)
    """Concurrent operations on one WebSocket."""
    subscriptions_per_company: int = Field(default=50_000, ge=1)
    """Subscriptions of one security company in one API process."""
    socket_message_bytes: int = Field(default=64 * 1024, ge=1024)
    """Maximum size of a message on a WebSocket."""

    smtp_host: str = ""
    """Mail server; when empty, no mail is sent and messages are only recorded."""
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool | None = None
    """Whether TLS is required; when not given, it is required unless the mail server is on this machine."""
    smtp_from: str = "waarborg@localhost"
    smtp_utf8: bool = False
    """Whether the mail server has SMTPUTF8: without it an address such as `jörg@…` is refused when it is entered."""
    smtp_log: Path | None = None
    """Mail log of our own Postfix relay; read to find out whether a message was sent when the response was lost."""
    smtp_settle_s: float = Field(default=60, ge=0)
    """How long the relay may take to accept a message after its last byte."""
    bounces: Path | None = None
    """A Maildir to which the relay delivers bounces of `smtp_from`, with and without an extension."""
    bounce_delimiter: str = Field(default="+", max_length=1)
    """Separator between the name in `smtp_from` and the signed id in the envelope sender; empty if not supported."""
    imap_host: str = ""
    """Mail server with the mailbox to which replies and bounces come; besides the Maildir, or instead of it."""
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_username: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_folder: str = Field(default="INBOX", pattern=r'^[^"\\\r\n]{1,200}$')
    """Folder of the mailbox in which unseen mails are read."""
    imap_security: Literal["tls", "starttls", "none"] = "tls"
    """How the connection is encrypted; `none` only for a mail server on this machine."""
    sms_url: str = ""
    """Address of a provider that accepts text messages as JSON; without one no text messages are sent."""
    sms_token: SecretStr = SecretStr("")
    sms_from: str = ""
    """Sender name shown on phones; the company's name when not given."""
    push_key_file: Path | None = None
    """P-256 private key (PEM) that signs browser notifications; without one no notifications are sent."""
    public_url: str = ""
    """Public address of the API, such as `https://desk.guards.example`; needed for one-click unsubscribing."""

    job_attempts: int = Field(default=20, ge=1)
    """How often a job is attempted, with pauses from 2 s up to an hour, before it is dead (about 7 h)."""

    audit_origin: str = Field(default="waarborg", pattern=r"^[^\s+]+$")
    """Prefix of the names of audit trails, such as `audit.guards.example`; never change it once clients use it."""
    audit_key_file: Path | None = None
    """Ed25519 private key (PEM) that signs checkpoints; created as `DATA/audit.pem` when not given."""
    audit_every_minutes: int = Field(default=10, ge=1)
    """How often a checkpoint is signed over an audit trail that grew."""

    retain_messages_days: int = Field(default=730, ge=1)
    """After how many days recipient and text of a delivered or failed message are erased; its hash stays."""
    retain_words_days: int = Field(default=2_557, ge=1)
    """After how long the free text in facts is erased (7 years: Dutch tax law's limit); the facts stay."""
    retain_positions_days: int = Field(default=28, ge=2, le=365)
    """After how many days positions of guards' devices are dropped, a day at a time; older ones are refused."""
    late_evidence_minutes: int = Field(default=15, ge=0, le=1_440)
    """How late a position may arrive and still revise a breached promise automatically; later ones need a decision."""
    retain_users_days: int = Field(default=365, ge=1)
    """After how many days a user whose access ended is erased."""

    files_bucket: str = ""
    """Bucket of an S3-compatible server that keeps photos and documents; without one, `DATA/files` does."""
    files_endpoint: str = ""
    """Address of that server, such as `https://s3.example`; Amazon's own when not given."""
    files_region: str = "us-east-1"
    """Region of the bucket."""
    files_access_key: str = ""
    """Id of the key to the bucket; without one, the credentials of the machine are used."""
    files_secret_key: SecretStr = SecretStr("")
    """Secret of the key to the bucket."""
    files_scan_command: str = ""
    """Virus scanner, such as `clamdscan --no-summary --fdpass`; it is given a path and exits with 0 for a clean file
    and 1 for an infected one. Without one, files are not scanned."""
    retain_files_days: int = Field(default=730, ge=1)
    """After how many days photos and documents are deleted, from when they were stored."""

    webhook_key_file: Path | None = None
    """Ed25519 private key (PEM) that encrypts the secrets of webhooks; `DATA/webhooks.pem` when not given."""
    webhook_loopback: bool = False
    """Whether webhooks may use addresses of this machine, over plain http too. For tests and trials."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _sender_is_taken(self) -> Self:
        """Refuse a sender's address to which many mail servers could return nothing."""
        if not self.smtp_from.rpartition("@")[0].isascii():
            raise ValueError(
                "WAARBORG_SMTP_FROM has a name outside ASCII before the @: mail servers without SMTPUTF8 refuse"
                " letters from it; name another address"
            )
        return self

    @model_validator(mode="after")
    def _mailbox_is_private(self) -> Self:
        """Refuse a password that would cross a network in the clear."""
        here = {"127.0.0.1", "::1", "localhost"}
        if self.imap_security == "none" and self.imap_host and self.imap_host not in here:
            raise ValueError(
                "WAARBORG_IMAP_SECURITY=none is for a mail server on this machine only"
            )
        return self

    @property
    def reads_mail(self) -> bool:
        """Whether mail to the sender's address is read: from a Maildir or a mailbox."""
        return self.bounces is not None or bool(self.imap_host)

    @model_validator(mode="after")
    def _fall_back(self) -> Self:
        """Give unset addresses their documented default."""
        if not self.jobs_redis_url and urlsplit(self.redis_url).scheme in _CLUSTER:
            raise ValueError(
                "WAARBORG_REDIS_URL is a Cluster: WAARBORG_JOBS_REDIS_URL must name a separate Redis server"
            )
        for name, other in (
            ("system_database_url", "database_url"),
            ("owner_database_url", "database_url"),
            ("jobs_redis_url", "redis_url"),
        ):
            if not getattr(self, name):
                object.__setattr__(self, name, getattr(self, other))  # the model itself is frozen
        return self
