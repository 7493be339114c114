"""Settings: everything the surroundings decide, read once from `WAARBORG_*`; nothing else looks at the environment."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _asyncpg(url: str) -> str:
    """Name the driver in a PostgreSQL address: hosting parties hand out `postgres://` and `postgresql://`."""
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
    """Refuse what redis-py would only refuse at the first command."""
    parts = urlsplit(url)
    if url and parts.scheme not in {*_REDIS, *_CLUSTER}:
        raise ValueError(
            "a Redis address starts with redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://"
        )
    if parts.scheme in _CLUSTER and parts.path.strip("/0"):
        raise ValueError("a Redis Cluster has one database, number 0")
    if parts.scheme.endswith("+sentinel") and not parts.path.strip("/"):
        raise ValueError(
            "which master the Sentinels watch comes last: redis+sentinel://HOST:26379/MASTER"
        )
    return url


def _queue(url: str) -> str:
    """Refuse a Redis Cluster: arq's commands are about several keys at once (CROSSSLOT)."""
    if urlsplit(url).scheme in _CLUSTER:
        raise ValueError("the job queue cannot live on a Redis Cluster: name a Redis of its own")
    return _redis(url)


# Addresses carry passwords: `repr=False` keeps them out of logs and tracebacks that print the settings.
DatabaseUrl = Annotated[str, AfterValidator(_asyncpg), Field(repr=False)]
RedisUrl = Annotated[str, AfterValidator(_redis), Field(repr=False)]
QueueUrl = Annotated[str, AfterValidator(_queue), Field(repr=False)]


def _network(text: str) -> str:
    """Refuse what is no address and no network."""
    return str(ip_network(text.strip()))


Network = Annotated[str, AfterValidator(_network)]


class OidcIssuer(BaseModel):
    """An OpenID Connect provider; its users are those of the company with the same e-mail address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    """As in the tokens' `iss`, such as `https://login.example/realms/guards`."""
    audience: str
    """As in the tokens' `aud`: what the provider calls us."""
    company: str
    """The name of the security company."""
    trust_email: bool = False
    """Whether addresses count without `email_verified`; only where users cannot choose their own address."""
    jwks_url: str = ""
    """Where its keys are; found at `ISSUER/.well-known/openid-configuration` when not given."""

    @model_validator(mode="after")
    def _is_private(self) -> Self:
        for url in filter(None, (self.issuer, self.jwks_url)):
            parts = urlsplit(url)
            if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
                raise ValueError(f"{url} must begin with https://")
        return self


class Settings(BaseSettings):
    """The surroundings of one process; `Settings()` reads them, keyword arguments win over the environment.

    An empty `database_url` or `redis_url` means "the embedded server of the data directory":
    `api.embedded.provided(settings)` fills it in. Raises pydantic's `ValidationError` on nonsense.
    """

    model_config = SettingsConfigDict(env_prefix="WAARBORG_", extra="ignore", frozen=True)

    data: Path = Path("var")
    """Directory of embedded servers, photos and logs; relative to the working directory."""

    database_url: DatabaseUrl = ""
    """The login that answers requests: it sees the rows of one company at a time, and owns no table."""
    system_database_url: DatabaseUrl = ""
    """The login for work that is no single company's, such as the relay: it passes row-level security."""
    owner_database_url: DatabaseUrl = ""
    """The login that owns the tables and runs migrations; the same as `database_url` when not given."""
    redis_url: RedisUrl = ""
    """Streams and last-known positions: one Redis, a Sentinel's master, or a Cluster."""
    jobs_redis_url: QueueUrl = ""
    """The job queue, which cannot live on a Redis Cluster; the same as `redis_url` when not given."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    """Where the API listens; port 0 takes a free one."""

    signing_key_file: Path | None = None
    """Ed25519 private key (PEM) that signs tokens; made as `DATA/signing.pem` when not given."""
    retired_key_files: tuple[Path, ...] = ()
    """Keys that signed before: tokens they signed are good until they expire. Cursors are sealed with the last one."""
    oidc: tuple[OidcIssuer, ...] = ()
    """Identity providers whose tokens are taken, each for one company."""
    invitation_hours: int = Field(default=48, ge=1, le=24 * 30)
    """How long an invitation to set a password is good."""
    password_reset_minutes: int = Field(default=30, ge=5, le=24 * 60)
    """How long a letter to who forgot a password is good."""
    second_factor: Literal["optional", "staff"] = "optional"
    """Whether staff need a second factor; until they have one, they can only set it up."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of proxies whose `X-Forwarded-For` is believed, such as `10.0.0.0/8`; by default none."""
    development: bool = False
    """The GraphiQL page, introspection and field suggestions. `up` on this machine turns it on for itself."""
    demo: bool = False
    """Whether the first page hands out tokens. Never where real clients are."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins besides our own whose pages may call the API, such as `https://app.example`."""

    trusted_documents: Path | None = None
    """A manifest of GraphQL documents; with one, client roles are answered nothing else."""
    budget_per_s: float = Field(default=10_000, gt=0)
    """Cost (`extensions.cost`) that an actor's operations may have together, a second."""
    budget_burst: float = Field(default=500_000, ge=100_000)
    """Cost that an actor may spend at once; the dearest operation allowed costs 100,000."""
    budget_without_redis: Literal["open", "closed"] = "open"
    """Without Redis: `open` counts in each process by itself, `closed` answers nobody until Redis is back."""

    incidents_per_client_user: int = Field(default=20, ge=1)
    """How many incidents one client user may open in ten minutes."""
    connections: int = Field(default=20_000, ge=1)
    """Sockets and event streams that one API process holds open."""
    connections_per_company: int = Field(default=10_000, ge=1)
    """The same, of one security company with its clients and partners."""
    subscriptions_per_socket: int = Field(default=50, ge=1)
    """Operations at a time on one socket."""
    subscriptions_per_company: int = Field(default=50_000, ge=1)
    """Subscriptions of one security company in one API process."""
    socket_message_bytes: int = Field(default=64 * 1024, ge=1024)
    """What a message on a socket may have at most."""

    smtp_host: str = ""
    """Mail server; empty means that no mail leaves, messages are only recorded."""
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool | None = None
    """Encrypt, or send nothing; asked for unless the mail server is on this machine."""
    smtp_from: str = "waarborg@localhost"
    smtp_log: Path | None = None
    """The mail log of a Postfix relay of one's own: asked whether a letter left when no answer was heard."""
    smtp_settle_s: float = Field(default=60, ge=0)
    """How long the relay may take to accept a letter after its last byte."""
    bounces: Path | None = None
    """A Maildir to which the relay delivers what comes back to `smtp_from`, with and without an extension."""
    bounce_delimiter: str = Field(default="+", max_length=1)
    """Between the name in `smtp_from` and the signed id in the envelope's sender; empty where the relay knows none."""
    sms_url: str = ""
    """Where a provider takes text messages as JSON; without one none are sent."""
    sms_token: SecretStr = SecretStr("")
    sms_from: str = ""
    """The sender that phones show; the company's name when not given."""
    push_key_file: Path | None = None
    """P-256 private key (PEM) that signs notifications to browsers; without one none are sent."""
    public_url: str = ""
    """Where readers of mail reach the API, such as `https://desk.guards.example`; one-click unsubscribing needs it."""

    job_attempts: int = Field(default=20, ge=1)
    """How often a consequence is tried, with pauses from 2 s up to an hour, before it is given up (about 7 h)."""

    audit_origin: str = Field(default="waarborg", pattern=r"^[^\s+]+$")
    """What names of audit trails begin with, such as `audit.guards.example`; never change it once clients know it."""
    audit_key_file: Path | None = None
    """Ed25519 private key (PEM) that signs checkpoints; made as `DATA/audit.pem` when not given."""
    audit_every_minutes: int = Field(default=10, ge=1)
    """How often a checkpoint is signed over an audit trail that grew."""

    retain_messages_days: int = Field(default=730, ge=1)
    """After how long recipient and words of a message that came to its end are erased; its hash stays."""
    retain_words_days: int = Field(default=2_557, ge=1)
    """After how long the free text in facts is erased (7 years: Dutch tax law's limit); the facts stay."""
    retain_positions_days: int = Field(default=28, ge=2, le=365)
    """After how long fixes of guards' devices are dropped, a day at a time; older ones are not taken."""
    late_evidence_minutes: int = Field(default=15, ge=0, le=1_440)
    """How late a fix may come in and still undo a broken promise by itself; later ones need a person's decision."""
    retain_users_days: int = Field(default=365, ge=1)
    """After how long a user whose access ended is erased."""

    webhook_key_file: Path | None = None
    """Ed25519 private key (PEM) that webhooks' secrets are encrypted with; `DATA/webhooks.pem` when not given."""
    webhook_loopback: bool = False
    """Whether webhooks may lead to this machine, over plain http too. For tests and trying things out."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _fall_back(self) -> Self:
        """Give the addresses that were not named their documented default."""
        if not self.jobs_redis_url and urlsplit(self.redis_url).scheme in _CLUSTER:
            raise ValueError(
                "WAARBORG_REDIS_URL is a Cluster: WAARBORG_JOBS_REDIS_URL must name a Redis of its own"
            )
        for name, other in (
            ("system_database_url", "database_url"),
            ("owner_database_url", "database_url"),
            ("jobs_redis_url", "redis_url"),
        ):
            if not getattr(self, name):
                object.__setattr__(self, name, getattr(self, other))  # the model itself is frozen
        return self
