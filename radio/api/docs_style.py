"""The look of the contract's page: the site's tokens and what is laid with them.

The tokens bear the names and values of ``web/src/tokens.css``; a test holds the two together.
"""

from __future__ import annotations

from typing import Final

TOKENS: Final[dict[str, str]] = {
    "serif": "Charter, 'Bitstream Charter', 'Iowan Old Style', 'Source Serif 4', Georgia, Cambria, 'Noto Serif', serif",
    "grotesque": "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', "
    "'Noto Sans', system-ui, sans-serif",
    "paper": "#ffffff",
    "tint": "#f5f3ee",
    "ink": "#15181b",
    "ink-soft": "#52585e",
    "rule": "#d8d4cb",
    "rule-strong": "#15181b",
    "accent-harbor": "#0b5c7a",
}

DARK_TOKENS: Final[dict[str, str]] = {
    "paper": "#121518",
    "tint": "#1b1f23",
    "ink": "#ece9e2",
    "ink-soft": "#a8adb1",
    "rule": "#33393e",
    "rule-strong": "#a8adb1",
    "accent-harbor": "#74bbd8",
}

DEEPEST: Final = 8
"""Schemas are indented down to this depth; what is deeper stands there too."""

_LAID: Final = """
*{box-sizing:border-box}
html{background:var(--radio-paper);color:var(--radio-ink);font:16px/24px var(--radio-grotesque);
scroll-padding-top:24px;-webkit-text-size-adjust:100%}
body{margin:0}
h1,h2,h3,h4,p,ul,table,pre,dl,dd{margin:0;padding:0}
ul{list-style:none}
a{color:var(--radio-accent-harbor);text-decoration:none}
a:hover,p a,td a{text-decoration:underline;text-underline-offset:4px}
:focus-visible{outline:3px solid var(--radio-accent-harbor);outline-offset:2px}
code,pre{font:14px/20px ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace}
.skip{position:absolute;top:-64px;left:16px;z-index:1;padding:8px 16px;background:var(--radio-ink);
color:var(--radio-paper)}
.skip:focus{top:8px}
.head{padding:24px 16px 16px;border-bottom:1px solid var(--radio-rule-strong)}
.wordmark{color:inherit;font:700 24px/32px var(--radio-serif)}
.head p{color:var(--radio-ink-soft);font-size:13px;line-height:20px}
.page{padding:0 16px 64px}
nav{padding:16px 0;border-bottom:1px solid var(--radio-rule)}
nav a{color:inherit}
nav>ul{display:flex;flex-wrap:wrap;gap:0 16px}
nav>ul>li>a{display:block;padding:4px 0;font-weight:600;font-size:15px}
nav ul ul{display:none}
main{min-width:0}
h1{margin:32px 0 16px;font:700 32px/40px var(--radio-serif)}
h2{margin:64px 0 8px;padding-top:16px;border-top:3px solid var(--radio-rule-strong);
font:700 24px/32px var(--radio-serif)}
h3{font:700 19px/28px var(--radio-serif)}
h4{margin:24px 0 4px;font:600 13px/20px var(--radio-grotesque);color:var(--radio-ink-soft)}
.prose{max-width:68ch;font:17px/28px var(--radio-serif)}
.prose+.prose{margin-top:12px}
.op{margin-top:24px;padding-top:24px;border-top:1px solid var(--radio-rule)}
h2+.op,h2+.prose+.op{border-top:0;padding-top:8px;margin-top:8px}
.call{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 12px;margin:4px 0 8px}
.call code{font-size:15px;line-height:24px;overflow-wrap:anywhere}
.call i{font-style:normal;color:var(--radio-accent-harbor)}
.method{font:600 13px/24px var(--radio-grotesque);letter-spacing:.04em;color:var(--radio-ink-soft)}
.post,.put,.patch,.delete{color:var(--radio-ink)}
.anchor{margin-left:8px;color:var(--radio-ink-soft);font:400 16px/24px var(--radio-grotesque)}
.who{margin:4px 0 8px;font-size:13px;line-height:20px;color:var(--radio-ink-soft)}
.whole{font-size:14px;line-height:20px}
table{width:100%;border-collapse:collapse;font-size:14px;line-height:20px}
th,td{padding:6px 16px 6px 0;border-bottom:1px solid var(--radio-rule);text-align:left;vertical-align:top}
th{font-weight:600;font-size:13px;color:var(--radio-ink-soft)}
tr:last-child>td{border-bottom:0}
td:first-child{width:34%}td:nth-child(2){width:22%}
td code{font-size:13px;overflow-wrap:anywhere}
.codes td:first-child{width:1%;white-space:nowrap;font-variant-numeric:tabular-nums}
.codes td:nth-child(2){width:auto}
.prose+table{margin-top:12px}
.soft{color:var(--radio-ink-soft)}
.part{font-weight:600;color:var(--radio-ink-soft)}
pre{padding:12px 16px;background:var(--radio-tint);white-space:pre-wrap;overflow-wrap:anywhere}
details{margin-top:8px}summary{padding:4px 0;font-size:14px;cursor:pointer}
@media (max-width:639px){
table,tbody,tr,td{display:block;width:auto!important}
thead{display:none}
tr{padding:6px 0;border-bottom:1px solid var(--radio-rule)}
tr:last-child{border-bottom:0}
td{padding:0;border:0}td:empty{display:none}
td:first-child,td:nth-child(2){display:inline}
td:first-child{margin-right:12px}
td:nth-child(3){color:var(--radio-ink-soft)}
.codes td:nth-child(2){display:block;padding-left:16px}
}
@media (min-width:1024px){
.head{display:flex;align-items:baseline;gap:24px;padding:24px 32px 16px}
.page{display:grid;grid-template-columns:264px minmax(0,880px);gap:64px;padding:0 32px 96px;max-width:1312px}
nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow-y:auto;padding:32px 8px 32px 0;border:0}
nav>ul{display:block}
nav>ul>li+li{margin-top:16px}
nav ul ul{display:block}
nav ul ul a{display:block;padding:4px 0;font-size:13px;line-height:18px;color:var(--radio-ink-soft)}
}
@media print{nav,.skip{display:none}}
"""


def stylesheet() -> str:
    """All of it as one sheet."""
    dark = f"@media (prefers-color-scheme:dark){{:root{{{_declared(DARK_TOKENS)}}}}}"
    return f":root{{color-scheme:light dark;{_declared(TOKENS)}}}\n{dark}\n{_LAID}{_depths()}"


def _depths() -> str:
    """A member's name is moved in by its depth; where all of its row is one block, the row is."""
    depths = range(1, DEEPEST + 1)
    wide = "".join(f".d{depth}>td:first-child{{padding-left:{depth * 16}px}}" for depth in depths)
    narrow = "".join(
        f".d{depth}{{padding-left:{depth * 16}px}}.d{depth}>td:first-child{{padding-left:0}}"
        for depth in depths
    )
    return f"{wide}@media (max-width:639px){{{narrow}}}\n"


def _declared(tokens: dict[str, str]) -> str:
    return "".join(f"--radio-{name}:{value};" for name, value in tokens.items())
