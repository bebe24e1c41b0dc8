"""What templates need: modules under the content policy, icons, swatches, wording."""

from datetime import datetime
from typing import Any

from django import template
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from tidelog_server.ui import markdown as markdown_of
from tidelog_server.ui import modules, theme, wording

register = template.Library()


@register.simple_tag(takes_context=True)
def import_map(context: RequestContext) -> SafeString:
    """Write the import map, the only inline script there is, and allow it by its hash."""
    context["request"].csp_scripts.append(modules.import_map_hash())
    # Made from our own file names, so nothing of a visitor's is in it.
    return mark_safe(f'<script type="importmap">{modules.import_map()}</script>')


@register.simple_tag
def page_module(name: str) -> SafeString:
    """Load a page's module, and fetch all that it imports at once."""
    page = f"tidelog/{name}"
    preloads = format_html_join(
        "\n",
        '<link rel="modulepreload" href="{}">',
        ((modules.address(other),) for other in modules.needed_by(page)),
    )
    script = format_html('<script type="module" src="{}"></script>', modules.address(page))
    return preloads + script


@register.simple_tag(takes_context=True)
def theme_name(context: RequestContext) -> str:
    return theme.theme_of(context["request"])


@register.simple_tag(takes_context=True)
def dark_media(context: RequestContext) -> str:
    return theme.MEDIA[theme.theme_of(context["request"])]


@register.simple_tag
def sprite() -> str:
    return static("ui/sprite.svg")


@register.simple_tag
def icon(name: str, css: str = "i") -> SafeString:
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"></use></svg>', css, sprite(), name
    )


@register.simple_tag
def state_icon(state: str) -> SafeString:
    return format_html(
        '<svg class="state {}" role="img" aria-label="{}"><use href="{}#state-{}"></use></svg>',
        state,
        wording.state(state),
        sprite(),
        wording.SHAPES.get(state, state),
    )


@register.simple_tag
def swatch(color: int) -> SafeString:
    """Draw a run's line with its marker; `palette.js` says the same in the browser."""
    index, turn = color % 12, color // 12
    dash = (0 if index < 6 else 1 if index < 10 else 2) + turn
    return icon(f"run-{index % 6}-{dash % 3}", f"swatch c{index + 1}")


@register.filter
def number(value: object) -> str:
    return wording.number(value)


@register.filter
def grouped(value: int) -> str:
    return f"{value:,}"


@register.filter
def minutes(seconds: float) -> str:
    return wording.minutes(seconds)


@register.filter
def exact(value: object) -> str:
    return wording.exact(value)


@register.filter
def duration(seconds: float) -> str:
    return wording.duration(seconds)


@register.filter
def state_word(state: str) -> str:
    return wording.state(state)


@register.filter
def markdown(text: str) -> SafeString:
    return markdown_of.render(text)


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """Write a time as its distance, exact on hover; pages keep it true."""
    if moment is None:
        return "–"
    return format_html(
        '<time data-ago datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        f"{moment:%d %b %Y, %H:%M:%S} UTC",
        wording.ago(moment),
    )


@register.filter
def initials(user: Any) -> str:
    """Return one or two letters for a person's badge."""
    words = user.get_full_name().replace(".", " ").split()
    return "".join(word[0] for word in words[:2]).upper()
