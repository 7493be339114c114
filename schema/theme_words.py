"""Words of themes: those in force, the company's versions, and changing them."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import feedback
from domain.feedback import SatisfactionDriver
from domain.sentiment import FoundTheme, Theme
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, resolver

enum(
    Theme,
    "SurveyTheme",
    punctuality="Being on time, or not.",
    coverage="Filled shifts, and replacement of people who are away.",
    conduct="Conduct and appearance of guards.",
    expertise="Expertise, training and knowledge of the site.",
    response="Response to alarms and requests.",
    resolution="Whether problems are solved.",
    communication="Communication, and being reachable.",
    reporting="Reports and logbooks of the work.",
    patrols="Patrols and rounds on site.",
    billing="Invoices, prices and credits.",
    continuity="The same people on site.",
    technology="Cameras, systems, badges and apps.",
)
enum(
    SatisfactionDriver,
    "SatisfactionDriver",
    quality="Quality of the delivered service.",
    responsiveness="Speed of reactions to alarms and requests.",
    expertise="Expertise that the company shows.",
    innovation="New value, such as technology.",
    relationship="Relationship between people of both sides.",
    resolution="Resolution of problems and complaints.",
    value="Value for the money that is paid.",
    communication="Clear information and reports.",
)
Row = strawberry.Parent[feedback.ThemeTaxonomy]


@from_row(FoundTheme)
class FoundSurveyTheme:
    """Theme of an answer, with the words that decided."""

    theme: Annotated[Theme, "Theme that the words belong to."]
    words: Annotated[list[str], "Words of the answer that belong to the theme."]


@from_row(feedback.TextTheme)
class TextTheme:
    """Theme of a text, with its parent and the words that decided."""

    theme: Annotated[Theme, "Theme that the text is about."]
    parent: Annotated[SatisfactionDriver, "Driver of satisfaction that the theme belongs to."]
    words: Annotated[list[str], "Words of the text; empty for a theme that a person added."]


@from_row(feedback.ThemeWords)
class ThemeWords:
    """Theme with the words and phrases by which it is found."""

    theme: Annotated[Theme, "Theme that the words stand for."]
    parent: Annotated[SatisfactionDriver, "Driver of satisfaction that the theme belongs to."]
    words: Annotated[
        list[str],
        "Beginnings of words; `$` ends a whole word, `…` stands for up to four words.",
    ]


@from_row(feedback.ThemeWordChange)
class ThemeWordChange:
    """Words that the company adds to a theme of the program, or leaves out."""

    theme: Annotated[Theme, "Theme that is changed."]
    added: Annotated[list[str], "Words that the company adds."]
    removed: Annotated[list[str], "Words of the program that it leaves out."]


@from_row(feedback.ThemeTaxonomy)
class ThemeTaxonomy(Node):
    """Version of the company's words of themes: all its changes to the words of the program."""

    number: Annotated[int, "Number of the version, in the order in which they were made."]
    effective_at: Annotated[datetime, "Time from which texts are read with it."]
    made_at: Annotated[datetime, "Time at which it was made."]

    @resolver(list[ThemeWordChange])
    @staticmethod
    def changes(row: Row) -> list[feedback.ThemeWordChange]:
        """What the company adds and leaves out, by theme."""
        return feedback.theme_changes(feedback.changes_of(row))


@from_row(feedback.ThemesInForce)
class ThemesInForce:
    """Words of all themes with which texts are read at a time."""

    version: Annotated[str, "Version: of the program and, after a dot, of the company."]
    effective_at: Annotated[
        datetime | None, "Time since which they are in force; null for those of the program."
    ]
    themes: Annotated[list[ThemeWords], "Themes with their words, in Dutch and English."]


@query_fields
class ThemeWordQuery:
    """Queries about words of themes."""

    @lists(ThemeTaxonomy, feedback.ThemeTaxonomy.number, feedback.ThemeTaxonomy.id, descending=True)
    @staticmethod
    def theme_taxonomies(info: Info) -> Rows:
        """Versions of the company's words of themes, the newest first."""
        return visible(info, feedback.ThemeTaxonomy)

    @resolver(ThemesInForce, work=50)
    @staticmethod
    async def themes_in_force(
        info: Info,
        at: Annotated[datetime | None, "Time of interest; now when left out."] = None,
    ) -> feedback.ThemesInForce:
        """Words of all themes with which texts are read."""
        async with info.context.sessions() as session:
            return await feedback.themes_in_force(
                session, info.context.actor.tenant_id, at=at or info.context.at
            )


@mutation_fields
class ThemeWordMutation:
    """Mutations about words of themes."""

    @mutation(ThemeTaxonomy)
    @staticmethod
    async def revise_theme_words(
        ask: MutationContext,
        theme: Annotated[Theme, "Theme that is changed."],
        add: Annotated[list[str] | None, "Words and phrases that are added."] = None,
        remove: Annotated[list[str] | None, "Words and phrases that are left out."] = None,
        effective_at: Annotated[
            datetime | None, "Time from which texts are read with them; now when left out."
        ] = None,
    ) -> feedback.ThemeTaxonomy:
        """Change the company's words of a theme; texts that were read before stay as they are."""
        return await feedback.revise_theme_words(
            ask.tx, theme, add=add or (), remove=remove or (), effective_at=effective_at
        )
