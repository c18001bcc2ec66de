# Prints, for each path on standard input, what R's own parser reads in that file, without comments.
for (path in readLines(file("stdin"))) {
  said <- tryCatch({
    code <- parse(path, keep.source = FALSE, encoding = "UTF-8")
    paste(vapply(code, function(one) paste(deparse(one), collapse = "\n"), ""), collapse = "\n;\n")
  }, error = function(error) NULL)
  cat(if (is.null(said)) "-" else gsub("\n", "\\\\n", paste0("=", said)), "\n", sep = "")
}
