"""Sentiment of texts, words of themes by company, weights of a company, and bursts of negative texts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0076"
down_revision: str | Sequence[str] | None = "0075"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "sentiment_head",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column(
            "method",
            sa.Enum("plain", "e5", name="sentimentmethod", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("texts", sa.BigInteger(), nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error_before", sa.Double(), nullable=False),
        sa.Column("error_after", sa.Double(), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("texts >= 50", name=op.f("ck_sentiment_head_at_least_50_texts")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_sentiment_head_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sentiment_head")),
        sa.UniqueConstraint(
            "tenant_id", "method", "number", name=op.f("uq_sentiment_head_tenant_id_method_number")
        ),
    )
    op.execute("ALTER TABLE sentiment_head ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sentiment_head FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY fence ON sentiment_head USING (tenant_id = (SELECT fence_tenant()))")
    op.create_index(
        op.f("ix_sentiment_head_tenant_id"), "sentiment_head", ["tenant_id"], unique=False
    )
    op.create_table(
        "theme_taxonomy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_theme_taxonomy_number_positive")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_theme_taxonomy_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme_taxonomy")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_theme_taxonomy_tenant_id_number")),
    )
    op.execute("ALTER TABLE theme_taxonomy ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE theme_taxonomy FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY fence ON theme_taxonomy USING (tenant_id = (SELECT fence_tenant()))")
    op.create_index(
        op.f("ix_theme_taxonomy_tenant_id"), "theme_taxonomy", ["tenant_id"], unique=False
    )
    op.create_table(
        "text_sentiment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "survey_answer",
                "review",
                "incident_update",
                name="feedbackkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("answer_id", sa.Uuid(), nullable=True),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.Column("update_id", sa.Uuid(), nullable=True),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("polarity", sa.BigInteger(), nullable=False),
        sa.Column("confidence", sa.BigInteger(), nullable=False),
        sa.Column(
            "read_label",
            sa.Enum(
                "negative",
                "neutral",
                "positive",
                name="polarityclass",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "label",
            sa.Enum(
                "negative",
                "neutral",
                "positive",
                name="polarityclass",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "method",
            sa.Enum("plain", "e5", name="sentimentmethod", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("taxonomy", sa.Text(), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("themes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("theme_words", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "suggested_theme",
            sa.Enum(
                "punctuality",
                "coverage",
                "conduct",
                "expertise",
                "response",
                "resolution",
                "communication",
                "reporting",
                "patrols",
                "billing",
                "continuity",
                "technology",
                name="theme",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("disagrees", sa.Boolean(), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("corrected_by", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(corrected_at IS NULL) = (corrected_by IS NULL)",
            name=op.f("ck_text_sentiment_correction_is_whole"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(answer_id, review_id, update_id) = 1",
            name=op.f("ck_text_sentiment_of_one_text"),
        ),
        sa.CheckConstraint(
            "polarity BETWEEN -1000000 AND 1000000",
            name=op.f("ck_text_sentiment_polarity_in_millionths"),
        ),
        sa.CheckConstraint(
            "score BETWEEN 0 AND 1000000", name=op.f("ck_text_sentiment_score_in_millionths")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_text_sentiment_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["answer_id"],
            ["survey_answer.id"],
            name=op.f("fk_text_sentiment_answer_id_survey_answer"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_text_sentiment_review_id_review")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_text_sentiment_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["update_id"],
            ["incident_update.id"],
            name=op.f("fk_text_sentiment_update_id_incident_update"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_sentiment")),
        sa.UniqueConstraint("answer_id", name=op.f("uq_text_sentiment_answer_id")),
        sa.UniqueConstraint("review_id", name=op.f("uq_text_sentiment_review_id")),
        sa.UniqueConstraint("update_id", name=op.f("uq_text_sentiment_update_id")),
    )
    op.execute("ALTER TABLE text_sentiment ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE text_sentiment FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON text_sentiment USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_text_sentiment_account_id_written_at"),
        "text_sentiment",
        ["account_id", "written_at"],
        unique=False,
    )
    op.create_index(
        "ix_text_sentiment_negative",
        "text_sentiment",
        ["account_id", "written_at"],
        unique=False,
        postgresql_where=sa.text("label = 'negative'"),
    )
    op.create_index(
        op.f("ix_text_sentiment_tenant_id"), "text_sentiment", ["tenant_id"], unique=False
    )
    op.add_column(
        "anomaly",
        sa.Column(
            "theme",
            sa.Enum(
                "punctuality",
                "coverage",
                "conduct",
                "expertise",
                "response",
                "resolution",
                "communication",
                "reporting",
                "patrols",
                "billing",
                "continuity",
                "technology",
                name="theme",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
    )
    op.drop_constraint(op.f("uq_anomaly_found"), "anomaly", type_="unique")
    op.create_unique_constraint(
        "uq_anomaly_found",
        "anomaly",
        [
            "account_id",
            "series",
            "site_id",
            "incident_kind",
            "theme",
            "detector",
            "direction",
            "found_on",
        ],
        postgresql_nulls_not_distinct=True,
    )
    op.add_column(
        "incident_update",
        sa.Column("words_unread", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.alter_column("incident_update", "words_unread", server_default=None)
    op.create_index(
        "ix_incident_update_unread",
        "incident_update",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("words_unread"),
    )
    op.add_column(
        "review",
        sa.Column("words_unread", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.alter_column("review", "words_unread", server_default=None)
    op.create_index(
        "ix_review_unread",
        "review",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("words_unread AND num_nonnulls(title, words) > 0"),
    )
    op.add_column(
        "survey_answer",
        sa.Column("words_unread", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.alter_column("survey_answer", "words_unread", server_default=None)
    op.create_index(
        "ix_survey_answer_unread",
        "survey_answer",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("words_unread AND words IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_survey_answer_unread",
        table_name="survey_answer",
        postgresql_where=sa.text("words_unread AND words IS NOT NULL"),
    )
    op.drop_column("survey_answer", "words_unread")
    op.drop_index(
        "ix_review_unread",
        table_name="review",
        postgresql_where=sa.text("words_unread AND num_nonnulls(title, words) > 0"),
    )
    op.drop_column("review", "words_unread")
    op.drop_index(
        "ix_incident_update_unread",
        table_name="incident_update",
        postgresql_where=sa.text("words_unread"),
    )
    op.drop_column("incident_update", "words_unread")
    op.execute("DELETE FROM anomaly WHERE series = 'negative_texts'")
    op.drop_constraint("uq_anomaly_found", "anomaly", type_="unique")
    op.create_unique_constraint(
        op.f("uq_anomaly_found"),
        "anomaly",
        ["account_id", "series", "site_id", "incident_kind", "detector", "direction", "found_on"],
        postgresql_nulls_not_distinct=True,
    )
    op.drop_column("anomaly", "theme")
    op.drop_index(op.f("ix_text_sentiment_tenant_id"), table_name="text_sentiment")
    op.drop_index(
        "ix_text_sentiment_negative",
        table_name="text_sentiment",
        postgresql_where=sa.text("label = 'negative'"),
    )
    op.drop_index(op.f("ix_text_sentiment_account_id_written_at"), table_name="text_sentiment")
    op.drop_table("text_sentiment")
    op.drop_index(op.f("ix_theme_taxonomy_tenant_id"), table_name="theme_taxonomy")
    op.drop_table("theme_taxonomy")
    op.drop_index(op.f("ix_sentiment_head_tenant_id"), table_name="sentiment_head")
    op.drop_table("sentiment_head")
