// Prints, for each path on standard input, what javac's own parser reads in that file: the tree, which has no comments.
import com.sun.source.tree.*;
import com.sun.source.util.*;
import java.io.*;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.MessageDigest;
import java.util.*;
import javax.tools.*;

public class Tokens {
    public static void main(String[] arguments) throws Exception {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String path; (path = in.readLine()) != null; ) System.out.println(digest(compiler, path));
    }

    static String digest(JavaCompiler compiler, String path) throws Exception {
        String text = Files.readString(Path.of(path), StandardCharsets.UTF_8);
        JavaFileObject file = new SimpleJavaFileObject(URI.create("string:///A.java"), JavaFileObject.Kind.SOURCE) {
            @Override public CharSequence getCharContent(boolean ignore) { return text; }
        };
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        JavacTask task = (JavacTask) compiler.getTask(null, null, said, List.of(), null, List.of(file));
        StringBuilder tree = new StringBuilder();
        Trees trees = Trees.instance(task);
        for (CompilationUnitTree unit : task.parse()) {
            tree.append(unit);
            new TreePathScanner<Void, Void>() {
                @Override public Void scan(Tree node, Void nothing) {
                    if (node != null) {
                        tree.append(node.getKind()).append(' ');
                        if (node instanceof LiteralTree) tree.append(((LiteralTree) node).getValue());
                    }
                    return super.scan(node, nothing);
                }
                @Override public Void visitMethod(MethodTree node, Void nothing) { tree.append(trees.getDocComment(getCurrentPath())); return super.visitMethod(node, nothing); }
                @Override public Void visitClass(ClassTree node, Void nothing) { tree.append(trees.getDocComment(getCurrentPath())); return super.visitClass(node, nothing); }
            }.scan(unit, null);
        }
        for (Diagnostic<?> one : said.getDiagnostics()) if (one.getKind() == Diagnostic.Kind.ERROR) return "-";
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(tree.toString().getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(hash);
    }
}
