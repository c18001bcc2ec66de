"""The languages that are handled: their names, how their files are called, how a comment is written, which grammar proves it."""

from __future__ import annotations

import msgspec


class Language(msgspec.Struct, frozen=True):
    """One language. ``line_marker`` opens a line comment; where there is none, ``block`` is the pair around a comment.

    ``grammar`` names the grammar with its pinned version; ``module`` is where it comes from ("package:function").
    ``closers`` are the texts that end a comment of this language, whichever form is rendered.
    """

    name: str
    grammar: str
    module: str
    line_marker: str = ""
    block: tuple[str, str] = ("", "")
    extensions: tuple[str, ...] = ()
    filenames: tuple[str, ...] = ()
    interpreters: tuple[str, ...] = ()
    closers: tuple[str, ...] = ()
    templated: bool = False
    """Whether such files often run through a template engine, which reads comments too."""


_C_END = ("*/",)
_SCRIPT_END = ("*/", "</script", "<!--", "-->")
_MARKUP_END = ("-->", "--!>", "<!--", "</script", "</style", "]]>")
_MARKUP = ("<!--", "-->")


def _hash(name: str, grammar: str, module: str, *extensions: str, **more: object) -> Language:
    return msgspec.convert(
        {"name": name, "grammar": grammar, "module": module, "line_marker": "#", "extensions": extensions, **more},
        Language,
    )


def _slashes(name: str, grammar: str, module: str, *extensions: str, **more: object) -> Language:
    given = {"name": name, "grammar": grammar, "module": module, "line_marker": "//", "extensions": extensions}
    return msgspec.convert({"closers": _C_END, **given, **more}, Language)


def _markup(name: str, grammar: str, module: str, *extensions: str) -> Language:
    return Language(name, grammar, module, block=_MARKUP, extensions=extensions, closers=_MARKUP_END, templated=True)


_ALL = (
    _hash(
        "python",
        "python@0.25.0",
        "tree_sitter_python:language",
        ".py",
        ".pyi",
        ".pyw",
        filenames=("SConstruct", "SConscript", "wscript"),
        interpreters=("python", "python2", "python3"),
    ),
    _slashes(
        "javascript",
        "javascript@0.25.0",
        "tree_sitter_javascript:language",
        ".js",
        ".mjs",
        ".cjs",
        interpreters=("node", "nodejs", "bun"),
        closers=_SCRIPT_END,
    ),
    _slashes("jsx", "javascript@0.25.0", "tree_sitter_javascript:language", ".jsx", closers=_SCRIPT_END),
    _slashes(
        "typescript",
        "typescript@0.23.2",
        "tree_sitter_typescript:language_typescript",
        ".ts",
        ".mts",
        ".cts",
        interpreters=("deno", "ts-node", "tsx"),
        closers=_SCRIPT_END,
    ),
    _slashes("tsx", "tsx@0.23.2", "tree_sitter_typescript:language_tsx", ".tsx", closers=_SCRIPT_END),
    _slashes("java", "java@0.23.5", "tree_sitter_java:language", ".java"),
    _slashes("c", "c@0.24.1", "tree_sitter_c:language", ".c", ".h"),
    _slashes(
        "cpp",
        "cpp@0.23.4",
        "tree_sitter_cpp:language",
        ".cc",
        ".cpp",
        ".cxx",
        ".c++",
        ".hh",
        ".hpp",
        ".hxx",
        ".h++",
        ".C",
        ".H",
        ".ipp",
        ".tpp",
    ),
    _slashes("csharp", "c-sharp@0.23.5", "tree_sitter_c_sharp:language", ".cs", ".csx"),
    _slashes("go", "go@0.25.0", "tree_sitter_go:language", ".go"),
    _slashes("rust", "rust@0.24.0", "tree_sitter_rust:language", ".rs"),
    _hash(
        "ruby",
        "ruby@0.23.1",
        "tree_sitter_ruby:language",
        ".rb",
        ".rake",
        ".gemspec",
        ".ru",
        ".podspec",
        filenames=("Rakefile", "Gemfile", "Guardfile", "Vagrantfile", "Podfile", "Fastfile", "Brewfile", "Dangerfile"),
        interpreters=("ruby",),
    ),
    _slashes(
        "php",
        "php@0.24.1",
        "tree_sitter_php:language_php",
        ".php",
        ".phtml",
        ".phpt",
        ".php5",
        interpreters=("php",),
        closers=("*/", "?>", "%>", "</script"),
    ),
    _slashes("kotlin", "kotlin@1.1.0", "tree_sitter_kotlin:language", ".kt", ".kts"),
    _slashes("swift", "swift@0.7.4", "tree_sitter_swift:language", ".swift", interpreters=("swift",)),
    _slashes("scala", "scala@0.24.0", "tree_sitter_scala:language", ".scala", ".sc", ".sbt"),
    _slashes("dart", "dart@0.1.0", "tree_sitter_dart:language", ".dart", interpreters=("dart",)),
    _hash(
        "bash",
        "bash@0.25.1",
        "tree_sitter_bash:language",
        ".sh",
        ".bash",
        ".ksh",
        ".zsh",
        filenames=(
            ".bashrc",
            ".bash_profile",
            ".bash_aliases",
            ".bash_login",
            ".bash_logout",
            ".profile",
            ".zshrc",
            ".zshenv",
            ".zprofile",
            ".zlogin",
            ".zlogout",
        ),
        interpreters=("sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"),
    ),
    Language(
        "sql",
        "sql@0.3.13",
        "tree_sitter_sql:language",
        line_marker="--",
        extensions=(".sql",),
        closers=_C_END,
        templated=True,
    ),
    _markup("html", "html@0.23.2", "tree_sitter_html:language", ".html", ".htm"),
    _markup("vue", "html@0.23.2", "tree_sitter_html:language", ".vue"),
    _markup("svelte", "svelte@1.0.2", "tree_sitter_svelte:language", ".svelte"),
    Language(
        "xml",
        "xml@0.7.0",
        "tree_sitter_xml:language_xml",
        block=_MARKUP,
        closers=("--", "]]>"),
        templated=True,
        extensions=(".xml", ".xsd", ".xsl", ".xslt", ".svg", ".rng", ".plist", ".csproj", ".props", ".targets"),
    ),
    Language(
        "css",
        "css@0.25.0",
        "tree_sitter_css:language",
        block=("/*", "*/"),
        extensions=(".css",),
        closers=("*/", "</style"),
        templated=True,
    ),
    _slashes("scss", "scss@1.0.0", "tree_sitter_scss:language", ".scss", closers=("*/", "</style"), templated=True),
    _hash(
        "yaml",
        "yaml@0.7.1",
        "tree_sitter_yaml:language",
        ".yaml",
        ".yml",
        templated=True,
        filenames=(".clang-format", ".clang-tidy"),
    ),
    _hash(
        "toml",
        "toml@0.7.0",
        "tree_sitter_toml:language",
        ".toml",
        templated=True,
        filenames=("Pipfile",),
    ),
    _hash(
        "dockerfile",
        "dockerfile@0.2.0",
        "tree_sitter_dockerfile:language",
        ".dockerfile",
        templated=True,
        filenames=("Dockerfile", "dockerfile", "Containerfile"),
    ),
    Language(
        "lua",
        "lua@0.4.1",
        "tree_sitter_lua:language",
        line_marker="--",
        extensions=(".lua",),
        interpreters=("lua", "luajit"),
    ),
    Language(
        "haskell",
        "haskell@0.23.1",
        "tree_sitter_haskell:language",
        line_marker="--",
        extensions=(".hs",),
        interpreters=("runghc", "runhaskell"),
        closers=("#-}",),
    ),
    Language(
        "ocaml",
        "ocaml@0.24.2",
        "tree_sitter_ocaml:language_ocaml",
        block=("(*", "*)"),
        extensions=(".ml",),
        closers=("*)", "(*", '"'),
        interpreters=("ocaml",),
    ),
    _hash("perl", "perl@2.0.3", "tree_sitter_perl:language", ".pl", ".pm", ".t", interpreters=("perl",)),
    _hash(
        "makefile",
        "make@1.1.1",
        "tree_sitter_make:language",
        ".mk",
        ".mak",
        filenames=("Makefile", "makefile", "GNUmakefile"),
        interpreters=("make",),
    ),
    _hash("elixir", "elixir@0.3.5", "tree_sitter_elixir:language", ".ex", ".exs", interpreters=("elixir",)),
    _hash("r", "r-scanner@1", "", ".r", ".R", filenames=(".Rprofile",), interpreters=("Rscript",)),
    _hash("hcl", "hcl@1.2.0", "tree_sitter_hcl:language", ".hcl", ".tf", ".tfvars", closers=_C_END),
    _hash(
        "powershell",
        "powershell@0.26.4",
        "tree_sitter_powershell:language",
        ".ps1",
        ".psm1",
        ".psd1",
        interpreters=("pwsh", "powershell"),
        closers=("#>", "<#"),
    ),
)

LANGUAGES: dict[str, Language] = {language.name: language for language in _ALL}
"""Every language that is handled, by its fixed name."""
