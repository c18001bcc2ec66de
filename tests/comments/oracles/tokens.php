<?php
// Prints, for each path on standard input, what PHP's own lexer reads in that file, without comments.
while (($path = fgets(STDIN)) !== false) {
    $text = file_get_contents(rtrim($path, "\n"));
    try {
        $tokens = token_get_all($text, TOKEN_PARSE);
    } catch (ParseError $error) {
        echo "-\n";
        continue;
    }
    $kept = [];
    foreach ($tokens as $token) {
        if (is_array($token)) {
            if (in_array($token[0], [T_COMMENT, T_WHITESPACE], true)) {
                continue;
            }
            $kept[] = [$token[0], $token[0] === T_OPEN_TAG ? rtrim($token[1]) : $token[1]];
        } else {
            $kept[] = $token;
        }
    }
    echo hash("sha256", serialize($kept)), "\n";
}
