# Prints, for each path on standard input, what Ruby's own lexer and parser read in that file, without comments.
require "digest"
require "ripper"

SKIPPED = %i[on_comment on_sp on_ignored_nl on_nl on_embdoc on_embdoc_beg on_embdoc_end].freeze

def without_places(node)
  return node unless node.is_a?(Array)
  return node.map { |each| without_places(each) } unless node.size == 2 && node.all?(Integer)

  nil
end

STDIN.each_line(chomp: true) do |path|
  text = File.read(path, encoding: "UTF-8")
  tree = begin
    Ripper.sexp(text)
  rescue StandardError
    nil # what the parser cannot read is not judged
  end
  if tree.nil?
    puts "-"
    next
  end
  tokens = Ripper.lex(text).reject { |token| SKIPPED.include?(token[1]) }.map { |token| token[1, 2] }
  magic = RubyVM::InstructionSequence.compile(text).disasm.include?("opt_str_freeze") rescue nil
  puts Digest::SHA256.hexdigest(Marshal.dump([tokens, without_places(tree).inspect, magic]))
end
