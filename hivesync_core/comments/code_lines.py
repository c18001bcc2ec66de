"""Whether a line reads as code: a heuristic, so that dead code does not come back as comments. Never the safety boundary."""

from __future__ import annotations

import re

_WORDS = re.compile(r"(?:^|\s)[A-Za-z][a-z']+(?=\s|[,;!?]|[.:](?:\s|$)|$)")
_PROSE_WORDS_MIN = 3
_NAME = r"[A-Za-z_$@][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*|\[[^\]]*\])*"
_DECLARED = (
    r"(?:(?:const|let|var|val|final|static|auto|unsigned|signed|int|float|double|char|string|"
    r"String|bool|boolean|Boolean|long|short|byte|my|our|local|"
    r"export|readonly|declare|mut|pub|public|private|protected|internal|def|fn|func|fun|global|"
    r"nonlocal|set|size_t|u?int\d+(?:_t)?|u8|u16|u32|u64|i32|i64|f64)\s+)"
)
_VALUE = (
    r"(?:[\w.$]+(?:\[.*\])?|[\w.$]+\s*=\s*[\w.$\"']+|[\"'`].*|[\[({].*[\])}]|.*[-+*/%&|^<>]=?\s*[\w$(\"'\[].*|.*\(.*\)|-?\d.*|new\s.*|"
    r"await\s.*|not\s.*|!.*|&.*|\*.*|function.*|lambda.*|.*=>.*)"
)
_ASSIGNMENT = re.compile(
    rf"{_DECLARED}*{_NAME}(?:\s*:\s*[\w<>\[\]|.,& ?]+?)?\s*(?:(?:[-+*/%|&^]|<<|>>>?|\*\*|//|\?\?|\|\||"
    rf"&&|:)=|(?<![<>!~=])=)\s*(?![=>])(?P<value>{_VALUE})\s*;?\s*\\?$"
)
_CALL = re.compile(
    rf"(?:(?:await|return|yield|throw|raise|new|go|defer|echo|print|assert|del|"
    rf"delete)\s+)?{_NAME}!?\((?P<inside>.*)\)(?:\.\w+\(.*\))*\s*[;,{{]?$"
)
_BIG_O = re.compile(r"[OoΘΩ]\([^()]*(?:\([^()]*\)[^()]*)*\)\.?$")
"""How long something takes: `O(n log n)`, which looks like a call."""
_STATEMENTS = re.compile(
    r"^(?:if|for|while|switch|catch|foreach|else if|elif|until|using|lock|"
    r"synchronized)\s*\(.*\)\s*(?:[{;]|\S+\(.*\)|return\b|break\b|continue\b|$)|"
    r"^(?:if|elif|while|for|with|except|async\s+(?:def|for|with))\b.*(?:[=<>!]=|\(|\[|\bin\b|"
    r"\bas\b|\bis\b|\bnot\b).*:\s*$|"
    r"^(?:def|class|function|func|fn|fun|sub|proc|module|interface|struct|enum|trait|impl|"
    r"namespace|package|defmodule|defp)\s+[\w:.<>]*[\w>]\s*(?:\([^)]*\).*[:{]?|[:{].*|do|<.*)?\s*$|"
    r"^(?:import|use|using|#include|package|"
    r"(?:from|require|require_relative|include)(?!\s+[a-z]+$))"
    r"\s+[\w.:{*'\"<@/][^\s]*(?<![.,])\s*(?:;.*|import\s+.+|as\s+\w+|from\s+.+|=\s*.+)?$|"
    r"^(?:export|import)\s+.*\bfrom\s+['\"]|^import\s+[{*]|^(?:return|throw|raise|yield|goto|break|"
    r"continue|pass|del|delete|fallthrough)\b[^\s]*(?:\s+\S+)?\s*;$|"
    r"^(?:return|raise|throw|yield)\s+(?:[\w.]+\(.*\)|[\w.]+\[[^\]]*\]$|[\"'\[{(].*|-?\d[\w.]*|self\.\w+|this\.\w+|"
    r"None|null|nil|true|false|True|False|[\w.]+\s*[-+*/%<>=&|]+\s*[\w.]+.*)$|"
    r"^(?:end|fi|done|esac|begin|then|do|else|else:|try:|finally:|\}|\{|pass|break|continue|return|"
    r"endif|endfor)\s*;?$|"
    r"^(?:public|private|protected|internal|static|abstract|override|"
    r"virtual)\s+[\w<>\[\],.? ]+(?:\(.*\)|[;={]).*$|"
    r"^unsafe\s*\{|^\w+!\s*[(\[{].*[)\]}];?$|^(?:try|do|finally|loop|else)\s*\{|\{\s*$|"
    r"\{[^{}]*;[^{}]*\}|^\(.*\)\s*=>|=>\s*[{(]|"
    r";\s*(?:[A-Za-z_$][\w$.]*\s*[(=]|import\b|return\b|rm\b|sudo\b)|\)\s*;\s*\S|"
    r"\w\s*\(.*\)\s*;\s*$|^\w+\s*\+\+;?$|^\w+\s*--;$|"
    r"^(?:(?:let|var)\s+\w+\s*(?::.*)?;?|const\s+\w+\s*(?::.*;?|;))$|^(?:[A-Za-z_][\w:<>,*&]*\s+){1,3}[*&]?\w+\s*(?:\[\w*\])?\s*;$|"
    r"^\w+:\s*[\w\"'].*,\s*\w+:\s*[\w\"'].*[,;]$|^[\"'][\w.-]+[\"']\s*:\s*\S.*$|"
    r"^[\w.$\[\]]+\s*(?:&&|\|\|)\s*[\w.$\[\]]+\(.*\)|"
    r"^(?:SELECT\s+.+\s+FROM\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|"
    r"DROP\s+(?:TABLE|DATABASE|INDEX|VIEW|SCHEMA)\s|ALTER\s+(?:TABLE|USER|ROLE)\s|"
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TABLE|INDEX|VIEW|DATABASE|USER|FUNCTION|TRIGGER)\s|"
    r"TRUNCATE\s+(?:TABLE\s)?|GRANT\s+.+\s+TO\s|REVOKE\s+.+\s+FROM\s|EXEC\s)|"
    r"^(?:sudo|rm|chmod|chown|curl|wget|kill|dd|mkfs\S*|eval|exec)\s+(?:-\w|--\w|\S*[$/\"'~*|]).*$|"
    r"\s\|\s*(?:sh|bash|sudo|grep|awk|sed|xargs)\b|\$\(.+\)|"
    r"^\w+\s*\|>\s*\w+|^[\w.]+\s*<-\s*\S+\(.*\)$|^[\w.]+\s*<-\s*[\w.\"']+$|^\w+(?:\[[^\]]*\])+\s*[=;]|"
    r"^(?:(?:export|default|pub|unsafe|data|case|sealed|abstract|public|private|final|async|override|open)\s+)*"
    r"(?:class|function|interface|object|extension|impl|struct|enum|trait|fn|func|fun|void|def|namespace|module)\s+\w.*\{\s*\}$|"
    r"^case\s+[\w.'\"]+:(?:\s*(?:break|return)\b.*)?$|^throw\s+(?:new\s+)?[A-Z]\w*(?:[.(]\S*)?$|^typeof\s+\w+\s*[!=]==?|"
    r"^exit\s+\d+$|\{\s*(?:return|break|continue)\b[^{}]*\}$|"
    r"^[\w:.]+\s*<<\s*.*;$|^template\s*<\s*(?:typename|class)\b|^\[\[\w+\]\]|^\.\w+\(.*\)[;,]?$|\w\?;$|"
    r"</?[a-z][\w-]*(?:\s+[\w:-]+=(?:\"[^\"]*\"|'[^']*'))*\s*/?>.*</[a-z]|^<[\w-]+.*/>$"
)
_ENDED = re.compile(
    r"(?:.*(?:[={}$\"<>]|\w[(\[])|(?:return|break|continue|next|last|exit|die|throw|case|assert|debugger|end|commit|pass)\b).*;$",
    re.IGNORECASE,
)
"""A statement of whatever language, by its semicolon and its signs."""
_OF_LANGUAGE = {
    "css": re.compile(
        r"^(?:z|font|text|line|letter|word|background|border|margin|padding|list|box|flex|grid|align|justify|max|min|object|outline)"
        r"-[a-z-]+\s*:\s*\S+$|^(?:transition|animation|content|font|border|opacity|cursor|float|overflow)\s*:\s*\S+"
        r"(?:\s+[\d.]\S*)*$|^\{\s*[\w-]+\s*:.*\}$|"
        r"^[a-z-]+\s*:\s*(?:(?:[-+]?[\d.]+(?:px|em|rem|%|s|ms|vh|vw|fr|deg|pt)|#[\da-fA-F]{3,8}|0|auto|inherit|initial|"
        r"unset|block|inline|flex|grid|absolute|relative|fixed|hidden|solid|bold|red|blue|green|white|black|"
        r"transparent|(?:url|rgba?|var|calc)\(.*\))\s*)+$|"
        r"^[\w-]+\s*:\s*[^;]+;\s*$|^[.#@*\w][\w.#:\s>+~,-]*\{\s*(?:$|\}|[\w-]+\s*:)|^--[\w-]+\s*:|^display\s*:\s*none$"
    ),
    "yaml": re.compile(
        r"^(?:- )?[a-z_][\w./-]*:(?:\s+(?:[^\s]+|\"[^\"]*\"|'[^']*'|\[.*\]|\{.*\}))?$|^-\s+(?:run|uses|"
        r"name|image|key|value):\s|^(?:run|uses|image):\s+\S|^-\s+\[|^\w+:\s*[|>][-+]?$"
    ),
    "toml": re.compile(r"^[\w.\"-]+\s*=\s*(?:[\"'\[{]|\d|true\b|false\b)|^\[+[\w.\"-]+\]+$"),
    "dockerfile": re.compile(
        r"^(?:FROM|RUN|COPY|ADD|ENV|CMD|ENTRYPOINT|USER|WORKDIR|EXPOSE|ARG|LABEL|VOLUME|ONBUILD|SHELL|"
        r"HEALTHCHECK|STOPSIGNAL|MAINTAINER)\s+"
        r"(?!(?:is|are|was|has|must|can|should|will|needs?|comes?|instructions?|lines?|steps?|stages?)\b)\S|^(?:RUN|CMD)\s*\["
    ),
    "bash": re.compile(
        r"\|\|\s*(?:exit|return|die|true)\b|&&\s*(?:rm|cd|exit|return)\b|^\.\s+\S+$|^(?:alias|declare|local|readonly|typeset)\s+\w+=|"
        r"^\"\$\w+\"$|"
        r"^(?:export\s+)?[A-Za-z_]\w*=\S*(?:\s|$)|^(?:sudo|rm|mv|cp|ln|mkdir|chmod|chown|curl|wget|apt|"
        r"apt-get|yum|dnf|git|docker|kubectl|pip|npm|make|cd|source|exec|eval|kill|trap|set|unset|"
        r"export|test|grep|sed|awk|tar|ssh|scp|echo|printf|read|find|xargs|cat|tee|systemctl|"
        r"\./\S+)(?=\s).*(?:\s-\w|\s--\w|\$\w|\$\{|\"\$|\s\|\s|>>|\s>\s|&&)|"
        r"^\[\[?\s.*\]\]?|^(?:if|while)\s+\[|;\s*(?:then|do)\b|^\$\w+|^[\w-]+\(\)\s*\{?$|"
        r"^(?:exit|return|shift)\s+\d+$|^set\s+[-+]\w+$|^cd\s+[~/.$]\S*$|^(?:source|\.)\s+\S*[./]\S+$|"
        r"^(?:chmod|chown)\s+\S+\s+[/.~$]|^trap\s+\S+\s+[A-Z]+$|^echo\s+[\"'$]|^(?:ls|rm|cp|mv|mkdir|chmod|ssh|tar)\s+[-+]\w+(?:\s+\S+)*$|"
        r"^(?:sudo\s+)?(?:apt-get|apt|yum|dnf|apk|pip3?|npm|gem|brew)\s+(?:-\S+\s+)*(?:install|add)\s+(?:-\S+\s+)*\S+$|"
        r"^while\s+\S+;?\s*do$"
    ),
    "makefile": re.compile(
        r"^(?!https?:|[\d:-]+:|[A-Z][a-z]+\s*:|[A-Za-z]+-\d+\s*:|[A-Z][A-Z\d]+\s*:(?![:=])|see:|[A-Z]+\()(?!.*[a-z]\.$)[A-Za-z0-9_.$()/%-]+\s*:(?!\s+\w+\s+\w+\s+\w)"
        r"\s*(?:[A-Za-z_.$()/%][A-Za-z0-9_.$()/%-]*)?(?:\s[A-Za-z_.$()/%][A-Za-z0-9_.$()/%-]*)*$|^\w+\s*[:?+]?=\s|^\w+[:?+]=|"
        r"\$\([\w.]+\)|^\.[A-Z_]+\b\s*(?:[:=?+]|$)|^(?:gcc|g\+\+|cc|clang|ld|ar|rm|cp|mv|install)\s+-|^(?:unexport|override|vpath|-include)\s+\S|^(?:include|ifdef|ifndef|ifeq|ifneq|endif|define|endef|export)\b\s*\S*$"
    ),
    "hcl": re.compile(
        r"^(?:resource|provider|variable|module|data|output|locals|terraform)\s+\"|"
        r"^\w+\s*=\s*(?:[\"\[{\d]|true|false|var\.|local\.)|\$\{"
    ),
    "sql": re.compile(
        r"(?i:^select\s+\*\s|^(?:commit|rollback|vacuum|shutdown|analyze)\s*;$)|^(?:COMMIT|ROLLBACK|SHUTDOWN)$|"
        r"^(?:UNION(?: ALL)?|EXPLAIN(?: ANALYZE)?)\s+SELECT\b|^RETURNING\s+[\w*]+(?:,\s*\w+)*$|^VACUUM\s+[A-Z]+|^EXECUTE\s+\w+$|"
        r"^\w+(?:,\s*\w+)*,$|"
        r"(?i:^(?:select\s+.+\s+from\s+.+|insert\s+into|update\s+\S+\s+set|delete\s+from|"
        r"drop\s+(?:table|database|index|view|schema|user)|alter\s+(?:table|user|role|database)|"
        r"create\s+(?:or\s+replace\s+)?(?:table|index|view|database|user|function|trigger)|"
        r"use\s+\w+|select\s+(?:\d+|\*)|call\s+\w+|print\s+'.*'|truncate\s+\w+|grant\s+.+\s+to|revoke\s+.+\s+from|set\s+\w+\s*=|begin|commit|rollback)\b.*;$|"
        r"^(?:drop|truncate|delete\s+from|insert\s+into)\b\s+\w+.*$|^pragma\s+\w+(?:\s*=.*)?;?$)|"
        r"^SELECT\s+(?:\*|\d)|^(?:AND|OR|WHERE|HAVING)\s+[\w.]+\s*(?:[=<>]|!=|LIKE\b|IN\b|IS\b)|^(?:ORDER|GROUP) BY\s+\w+|"
        r"^(?:(?:LEFT|RIGHT|INNER|OUTER|CROSS)\s+)*JOIN\s+\w+|^LIMIT\s+\d+|^WITH\s+\w+\s+AS\s*\(|^SET\s+\w+\s*=|^EXEC\s|"
        r"^FROM\s+[\w.]+$|^UNION(?: ALL)?$|^VALUES\s*\(|"
        r"^\w+\s+(?:int|integer|bigint|serial|text|varchar|char|boolean|date|timestamp|numeric|uuid|jsonb?)\b[^.]*,$"
    ),
    "lua": re.compile(
        r"^local\s+function\b|^local\s+\w+\s*=|^function\s+[\w.:]+\(|\bthen$|\bthen\b.*\bend$|^return\s+(?:nil|true|false|self|\d+|[A-Za-z])$|"
        r"^for\s+\w+\s*(?:=|,).*\bdo$|^goto\s+\w+$"
    ),
    "python": re.compile(
        r"^[fFrRbB]{1,2}[\"'].*[\"']$|^(?:if|elif|while|for)\b[^:]*:\s*[\w.]+\(.*\)$|"
        r"^(?:import\s+\w[\w.]*(?:\s*,\s*\w[\w.]*)*(?:\s+as\s+\w+)?|from\s+[\w.]+\s+import\s+.+)\s*;?$|"
        r"^(?:elif|while|except)\s+[\w.]+(?:\s+as\s+\w+)?:$|^if\s+(?:not\s+)?(?:\w|\w+[._]\w+):$|^assert\s+.*(?:[=!<>]=|<|>)|"
        r"^\[.*\bfor\b.*\bin\b.*\]$|^@\w[\w.]*(?:\(.*\))?$|^(?:global|nonlocal|del)\s+\w+$|^print\s*\("
    ),
    "php": re.compile(
        r"\$\w+(?:\[[^\]]*\]|->\w+)*\s*=|^(?:echo|require|include|require_once|include_once)\s+['\"$(]|"
        r"\$\w+->\w+\(|^(?:exit|die)\b\s*(?:\(.*\))?;$|^fn\s*\(.*\)\s*=>"
    ),
    "perl": re.compile(
        r"^1;$|^s/.*/.*/\w*;?$|^print\s+[\"'$]|[$@%]\w+\s*=|^(?:my|our|local|use|no|require)\s+[$@%\w:]+\s*(?:=.*)?;"
    ),
    "ruby": re.compile(
        r"^def\s+\w+.*;\s*end$|^(?:system|exec|eval|load|print|p|puts|raise)\s+[\"'`]|^->\s*\(|^\w+&\.\w+(?:\(.*\))?$|^\w+\.\w+!$|"
        r"^\w+\s*<<\s*\w+$|\{\s*\|\w+|^rescue\b.*=>\s*\w+$|^(?:binding\.(?:pry|irb)|byebug)$|"
        r"^(?:def|class|module)\s+[\w.:?!=<> ]+(?:\(.*\))?$|\.each\s+do\b|"
        r"\bdo\s*\|.*\|$|^(?:puts|p|"
        r"require|attr_\w+|raise|include|extend)\s+[:'\"@A-Z]\S*$|"
        r"^@(?!(?:param|arg|returns?|throws|exception|raises?|see|since|note|todo|example|option|author|version|yields?)\b)\w+"
    ),
    "powershell": re.compile(
        r"^\$\w+|^\[[\w.]+\]::|^\.\s+\S+$|^\[\w+\]\s*\$\w+|^return\s+\$\w+|^using\s+(?:module|namespace)\s+\S+$|^(?:iex|exit)\s+\S+$|^(?:Get|Set|New|Remove|Add|Invoke|Start|Stop|Write|Import|Export)-\w+(?:\s+\S+)?$|"
        r"^(?:Get|Set|New|Remove|Add|Invoke|Start|Stop|Write|Import|Export)-\w+\s(?:.*\s)?[-$@\"'|]\S"
    ),
    "r": re.compile(r"<-\s*\S|^library\(|^\w+\(.*\)$|%>%|^function\(|^\w+\$\w+$|^(?:if|for|while)\s*\(.*\)\s*\S"),
    "elixir": re.compile(
        r"^[A-Z]\w*\.\w+\s+\"|\|>|^def(?:p|module|macro|struct|impl)?\s+\w+.*(?:\bdo$|,\s*do:)|^(?:alias|import|use|"
        r"require)\s+[A-Z]\S*$|^fn\b.*->.*\bend$"
    ),
    "haskell": re.compile(
        r"<\$>|>>=|<\*>|^[a-z]\w*\s*::\s*\S|^import\s+qualified\b|^module\s+[A-Z][\w.]*\s+where$|^(?:data|newtype|type)\s+[A-Z]\w*.*=|"
        r"^[a-z]\w*(?:\s+[a-z]\w*)+\s*=\s*\S|^instance\s+[A-Z].*\bwhere$|^case\s+\w+\s+of$|\bputStrLn\s+\""
    ),
    "ocaml": re.compile(
        r"^let\s+(?:rec\s+)?\w+(?:\s+\w+)*\s*=|;;$|^open\s+[A-Z]\w*$|^module\s+[A-Z]\w*\s*=|^match\s+\w+\s+with$|^fun\s+\w+\s*->|^val\s+\w+\s*:"
    ),
    "kotlin": re.compile(
        r"^(?:(?:override|data|sealed|open|private|inline|suspend)\s+)*(?:fun\s+\w+\(|class\s+\w+\(|va[lr]\s+\w+\s*[=:])|\w!!(?!!)|\?\.\w+\s*\{|"
        r"^(?:companion )?object\b\s*(?:[A-Z]\w*)?$|\{\s*it\.\w+|\w\.\w+\s*\{.*\}$|^if\s*\([^()]*[<>=!]=?[^()]*\)\s*\S+$"
    ),
    "scala": re.compile(
        r"^(?:implicit|given)\s+(?:val\s+)?\w+\s*[:=]|^implicit val \w+|^extension\s*\(|^case\s+class\s+\w+|"
        r"^for\s*[({]\s*\w+\s*<-|^for\s*[({].*[)}]\s*yield\b|^case\s+\S+\s*=>|^object\s+[A-Z]\w*$|^if\s*\(.*\)\s*\S+\s+else\b|^import\s+\$\w+"
    ),
    "swift": re.compile(
        r"^try[!?]?\s+[\w.]+\(.*\)$|\w\.\w+\s*\{.*\}$|^case\s+\.\w+:$|^guard\s+.*\belse\b|^(?:extension|protocol|class|struct)\s+\w+.*\{|\w[!?]\.\w+\("
    ),
    "rust": re.compile(
        r"^(?:pub\s+)?(?:unsafe\s+)?(?:fn|impl|mod|trait)\s+\w+.*[{;]|\bas\s+[uif](?:\d+|size)$|=>.*,$|^&mut\s|^macro_rules!\s"
    ),
    "dart": re.compile(r"^part\s+['\"]|^(?:void|int|double|String|bool|Future<.*>)\s+\w+\(.*\)"),
    **dict.fromkeys(
        ("javascript", "jsx"),
        re.compile(
            r"^\w+\s*=>\s*[\w.]+\s*[-+*/(]|^\S+\s*\?\s*\S.*:.*;$|^`.*\$\{.*`$|^debugger$|^(?:document|window|localStorage|process|console)\.[\w.]+;?$"
        ),
    ),
    "go": re.compile(r"^var\s+\w+\s+[\w.\[\]*]+$|^type\s+\w+\s+(?:struct|interface|func|map|\[\])"),
    **dict.fromkeys(("c", "cpp"), re.compile(r"^(?:public|private|protected)\s*:$")),
    "csharp": re.compile(r"^\[[A-Z]\w*(?:\(.*\))?\]$"),
    "typescript": re.compile(
        r"\w!\.\w|^\w+\s*=>\s*[\w.]+\s*[-+*/(]|\bas\s+(?:any|unknown)\b(?:\s+as\b|;|$)|^\w+[!?]:\s*\w+;?$|^keyof\s+(?:typeof\s+)?\w+$"
    ),
}
FAMILY = {"scss": "css", "vue": "css", "svelte": "css", "html": "css", "tsx": "typescript"}


_CERTAIN = re.compile(
    r"^with\s+.+\bas\s+\w+:$|^lambda\s*[\w, ]*:|^for\s+\w+(?:\s*,\s*\w+)*\s+in\s+\S.*:\s*\S|"
    r"^(?:if|elif|while)\s+\S+\s*(?:==|!=|<=|>=|<|>)\s*\S+:|^from\s+[\w.]+\s+import\s+(?:[\w*]+,?\s*)+$|"
    r"^import\s+[\w]+(?:\.\w+)+(?:\s+as\s+\w+)?$|^\w+(?:,\s*\w+)+\s*=\s*\w+(?:,\s*\w+)+$|^type\s+\w+\s*=\s|"
    r"^\w[\w.]*\s*={2,3}\s*\w[\w.]*$|^export\s+default\s+\w+$|^[\w.-]+\s*=\s*[\"'\[{]|^delete\s+from\s+\w+$|"
    r"^sudo\s+(?!rights\b|access\b|permissions?\b|privileges\b|passwords?\b|users?\b|mode\b|needed\b|required\b)[\w-]+(?:\s+[\w-]+)?$|^(?:if|unless|case|cond|for|def\w*|receive|try)\b.*\bdo$|"
    r"\{\s*get\s*;|^while\s+\S+\s+do$|^[a-z-]+:\s*[^;]*\d(?:px|em|rem|%)?[^;]*;$|"
    r"^import\s+[a-z_]\w*(?:\.\w+)*(?:,\s*[a-z_]\w*)+$|^import\s+\w+\s+as\s+\w+$|^with\s+\w+\(.*\)\s+as\s+\w+:|"
    r"^for\s+\w+(?:,\s*\w+)*\s+in\s+[\w.]+\(.*\):$|^(?:if|elif|while)\s+(?:not\s+)?[\w.]+:\s*(?:return|break|continue|raise|pass)\b|"
    r"^(?:try|finally|else):\s*\S+\(.*\)$|^except\s+[\w.]+(?:\s+as\s+\w+)?:\s*\S|^del\s+\w+\[|^(?:async\s+)?def\s+\w+\(.*\).*:|"
    r"^[\"'].*[\"']\.\w+\(.*\)$|^\w[\w.]*\s*=\s*\S+\s+if\s+\S+\s+else\s+\S+$|^raise\s+[A-Z]\w*(?:Error|Exception|Iteration)$|"
    r"\{\s*(?:return|break|continue)\b[^{}]*\}$|^(?:if|for|while|match|switch|guard|loop|unless|select)\b[^{}]*\{(?:\s[^{}]*\s)?\}$|"
    r"^SELECT\s.+\sFROM\s+\w|^select\s+\*\s+from\s|^if\b.*\bthen\b.*\).*\bend$|^(?:INSERT\s+INTO|DELETE\s+FROM|ALTER\s+TABLE|(?:CREATE|DROP)\s+(?:TABLE|INDEX|VIEW|DATABASE))\s+\w|"
    r"^(?:update|UPDATE)\s+\w+\s+(?:set|SET)\s+\w+\s*=|;\s*(?:fi|done|esac)\s*;?$|^(?:async\s+)?(?:with|for|while|if)\b.*:\s*pass$|"
    r"^\w+(?:,\s*\w+)+\s*:=\s*\S|^return\s+[\w.]+,\s*(?:nil|err)\b|;\s*(?:then|do)$|^guard\s+.*\belse\s*\{|^import\s+qualified\s+[A-Z]|^module\s+[A-Z][\w.]*\s+where$"
)
"""Statements, however many words they have."""
_STATEMENT = re.compile(
    r"(?:return|assert|yield|raise|throw|del|delete|puts|print|echo|await|goto|free|unset|export|export default)\s+([A-Za-z_]\w*)$|"
    r"(?:if|elif|while|unless)\s+(?:not\s+)?([A-Za-z_]\w*):$"
)


def says_a_statement(line: str, source: bytes) -> bool:
    """Whether ``line`` is a keyword and a name of this very file: "return total", but not "return early"."""
    found = _STATEMENT.match(line)
    return bool(found and re.search(rb"\b%s\b" % (found[1] or found[2]).encode(), source))


def reads_as_code(line: str, language: str) -> bool:
    """Whether ``line`` (without blanks around it) is a statement, a declaration or markup rather than prose."""
    line = re.sub(r"^(?:[-*] )", "", line)
    if _BIG_O.match(line):
        return False
    if _CERTAIN.search(line):
        return True
    own = _OF_LANGUAGE.get(FAMILY.get(language, language))
    if own and own.search(line) and not _is_sentence(line):
        return True
    if found := _ASSIGNMENT.match(line):
        return not _is_sentence(found["value"])
    if found := _CALL.match(line):
        return not _is_sentence(found["inside"])
    if _ENDED.match(line) and not _is_sentence(line):
        return True
    return bool(_STATEMENTS.search(line)) and (not _is_sentence(line) or line.endswith((";", "{", "{}")))


def _is_sentence(text: str) -> bool:
    """Whether enough plain words follow one another."""
    bare = re.sub(r"\"[^\"]*\"|'[^' ]*'|`[^`]*`|\([^)]*\)", " ", text)
    return len(_WORDS.findall(bare)) >= _PROSE_WORDS_MIN
