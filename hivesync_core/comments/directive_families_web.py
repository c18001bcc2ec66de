"""The directives of the web's languages: of scripts, styles and pages, as patterns for the start of a comment's line."""

from __future__ import annotations

FALLS_THROUGH = r"(?i:(?:intentional(?:ly)?\s+)?fall(?:s|ing)?[\s-]*thr(?:ough|u)[\s.!]*$)"

OWN_WEB: dict[str, tuple[str, ...]] = {
    "javascript": (
        r"ts-(?:check|nocheck|ignore|expect-error)\b",
        r"@?flow\b\s*(?:$|strict|weak)",
        r"flow(?:lint|-\w+)\b",
        r"[\"']?use\s+(?:strict|client|server|asm|cache|(?:no\s+)?memo)\b[\"']?\s*;?$",
        r"vitest-environment\b|wallaby\s*:|ng-?[iI]nject\b|PURE\s*$",
        r"i18n(?:ext)?-[\w-]*(?:disable|ignore|mark)",
        FALLS_THROUGH,
        r"webpack[A-Z]\w*",
        r"vite-\w+",
        r"jest-environment\b",
        r"(?:globals?|exported)\s+[\w$]+(?:\s*,\s*[\w$]+)*\s*$",
        r"<(?:reference|amd-)",
        r"(?:graphql|html|css|sql|glsl|svg|GraphQL|HTML|CSS|SQL)\s*$",
        r"react-compiler\b",
        r"jsx\w*\s+\w+\s*$",
        r"es-module-lexer\b",
        r"format\s*$",
        r"prettier\b\s*$",
        r"babel-\w+",
    ),
    "css": (
        r"(?:stylelint|csslint|autoprefixer|purgecss|postcss|rtl|rtlcss|csscomb|cssnano|px-to-rem|"
        r"uncss|critical|tailwindcss?)\b\s*[-:]\s*\S",
        r"autoprefixer\s+(?:grid|ignore|off|on)\b",
        r"doiuse-\w+",
        r"px2rem\s*:",
        r"(?:Theme Name|Theme URI|Template|Text Domain)\s*:",
        r"noflip\b",
        r"preserve\s*$",
        r"purgecss\b.*",
        r"use\s+.*:\s*\S+$",
    ),
    "html": (
        r"(?i:\[(?:if|endif|else|html-validate|cdata|et_pb|(?!\s\])\W))",
        r"(?i:display\s*:\s*[\w-]+\s*$)",
        r"(?i:htmlhint\b|html-validate-\w+|beautify\s+(?:ignore|preserve)\s*:)",
        r"(?i:\w+[_-]noindex\b|(?:start|stop)index\s*$|zoom(?:stop|restart)\w*)",
        r"(?i:webbot\b|react-(?:text|empty)\b|google_ad_\w+|/?email_off\b|/?noptimize\b)",
        r"(?i:/?(?:mfunc|mclude|dynamic-cached-content)\b)",
        r"(?i:(?:instance|template)(?:begin|end|param)\w*\b)",
        r"(?:end\s+)?ng(?:[A-Z]\w+|-\w+)\s*:",
        r"(?:vue-ssr-outlet|ssr-outlet|app-(?:html|body|head)|(?:head|html)-outlet|preload-links)\s*$",
        r"(?:START|END) doctoc\b|ALL-CONTRIBUTORS-\w+|(?i:(?:end)?toc(?:stop)?\s*$)",
        r"(?i:/?ko\b)",
        r"(?i:(?:build|inject|bower|usemin|htmlmin|endbuild|endinject|endbower|replace|process|"
        r"remove)\s*:?\S*\s*$)",
        r"(?i:(?:build|inject|bower)\s*:\S)",
        r"(?i:esi\b|/esi\b)",
        r"(?i:/?wp:)",
        r"(?i:(?:more|nextpage|noteaser)\s*$)",
        r"(?i:google\w+\s*:)",
        r"(?i:/?noindex\s*$)",
        r"(?i:saved from url)",
        r"(?i:svelte-\w+)",
        r"(?i:(?:include|exec|echo|set|fsize|flastmod|printenv|if|elif|config)\s+\w+\s*=)",
        r"(?i:(?:begin|end|instance|template|#?\s*begin)\s*-?(?:template|editable|repeat|optional)\b)",
        r"(?i:mso\b)",
        r"(?i:sse\b)",
        r"(?i:prettier-\w+)",
        r"(?i:directive\s*:)",
        r"(?i:blade\b)",
        r"(?i:component\s*:)",
        r"/?lit-(?:part|node)\b|\?lit\$|suppress\s+[A-Z]\w+",
    ),
}
"""Obeyed in files of one family only."""
