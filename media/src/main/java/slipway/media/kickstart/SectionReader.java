package slipway.media.kickstart;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A section while its lines come in. */
final class SectionReader {
  private static final List<OptionSyntax> OF_GROUPS =
      List.of(groupFlag("--nodefaults"), groupFlag("--optional"));

  private final KickstartPlace at;
  private final CommandSyntax syntax;
  private final String name;
  private final KickstartVersion version;
  private final List<String> words;
  private final StringBuilder body = new StringBuilder();
  private final List<String> packages = new ArrayList<>();
  private @Nullable OptionValues values;

  SectionReader(
      KickstartPlace at,
      CommandSyntax syntax,
      List<KickstartWord> words,
      KickstartVersion version) {
    this.at = at;
    this.syntax = syntax;
    this.name = words.getFirst().text();
    this.version = version;
    this.words = words.stream().skip(1).map(KickstartWord::text).toList();
  }

  private static OptionSyntax groupFlag(String name) {
    return new OptionSyntax(
        List.of(name),
        ValueKind.FLAG,
        null,
        List.of(),
        name.substring(2),
        "",
        false,
        false,
        EnumSet.allOf(KickstartVersion.class),
        EnumSet.noneOf(KickstartVersion.class));
  }

  String name() {
    return name;
  }

  KickstartPlace at() {
    return at;
  }

  /** Whether blank lines and comments belong to it. */
  boolean takesAllLines() {
    return !name.equals("%packages");
  }

  /** Whether nobody looks into it but an installer's own parts. */
  private boolean isSkipped() {
    return name.equals("%addon") || name.equals("%anaconda");
  }

  /** Reads the first line. */
  void head(List<KickstartWord> line, int number, Consumer<String> warnings) throws KickstartFault {
    if (isSkipped()) {
      warnings.accept(name + " is for an add-on of the installer, and is not looked into");
      return;
    }
    if (name.equals("%traceback")) {
      warnings.accept(
          "The %traceback section has been deprecated. It may be removed in the future, which will"
              + " result in a fatal error from kickstart. Please modify your kickstart file to use"
              + " the %onerror section instead.");
    }
    ArgumentReader.Read read = ArgumentReader.read(syntax, line.subList(1, line.size()), version);
    read.deprecated().forEach(o -> warnings.accept(KickstartParser.deprecated(o, number)));
    if (!read.rest().isEmpty()) {
      throw ArgumentReader.unrecognized(syntax, read.rest(), version);
    }
    values = read.values();
    if (name.equals("%packages")) {
      packagesHead(read.values(), number, warnings);
    }
    if (name.equals("%certificate") && !values.isSet("dir") && !values.isSet("type")) {
      throw new KickstartFault("One of --dir or --type must be specified for %certificate");
    }
  }

  private void packagesHead(OptionValues values, int number, Consumer<String> warnings)
      throws KickstartFault {
    if (values.flag("default") && values.flag("nocore")) {
      throw new KickstartFault("--default and --nocore cannot be used together");
    }
    if (version != KickstartVersion.RHEL9) {
      return;
    }
    alias("--instLangs", "--inst-langs", number, warnings);
    alias("--excludeWeakdeps", "--exclude-weakdeps", number, warnings);
  }

  private void alias(String old, String preferred, int number, Consumer<String> warnings) {
    if (words.stream().anyMatch(word -> word.equals(old) || word.startsWith(old + "="))) {
      warnings.accept(
          "The %s option on line %d will be deprecated in future releases. Please modify your"
                  .formatted(old, number)
              + " kickstart file to replace this option with its preferred alias "
              + preferred
              + ".");
    }
  }

  /** Takes a line of the body. */
  void line(String line) throws KickstartFault {
    if (takesAllLines()) {
      body.append(line);
      return;
    }
    int hash = line.indexOf('#');
    String entry = PythonText.strip(hash < 0 ? line : line.substring(0, hash));
    if (entry.equals("-")) {
      throw new KickstartFault("a package or group to leave out is missing behind the minus sign");
    }
    if (entry.startsWith("@") && !entry.startsWith("@^")) {
      group(entry, line.indexOf('@') + 1);
    }
    if (!entry.isEmpty()) {
      packages.add(entry);
    }
  }

  private static void group(String entry, int index) throws KickstartFault {
    List<KickstartWord> words = new ArrayList<>();
    for (String word : PythonText.strip(entry.substring(1)).split("\\s+")) {
      words.add(new KickstartWord(word, index));
    }
    OptionValues values = ArgumentReader.read(OF_GROUPS, words, KickstartVersion.F45).values();
    if (values.flag("nodefaults") && values.flag("optional")) {
      throw new KickstartFault("Group cannot specify both --nodefaults and --optional");
    }
  }

  /** What it is, now that all of it is here; null when its first line was refused. */
  @Nullable KickstartSection end() throws KickstartFault {
    if (isSkipped()) {
      return new KickstartSection.Skipped(at, name, words, body.toString());
    }
    OptionValues v = values;
    if (v == null) {
      return null;
    }
    return switch (name) {
      case "%packages" -> packages(v);
      case "%certificate" -> {
        if (PythonText.strip(body.toString()).isEmpty()) {
          throw new KickstartFault("The %certificate section is empty");
        }
        yield new KickstartSection.Certificate(
            at, name, v.textOr("filename", ""), v.word("dir"), v.word("type"), body.toString());
      }
      default ->
          new KickstartSection.Script(
              at,
              name,
              v.textOr("interpreter", "/bin/sh"),
              v.word("log"),
              v.flag("erroronfail"),
              name.equals("%post") && !v.flag("nochroot"),
              body.toString());
    };
  }

  private KickstartSection.Packages packages(OptionValues v) {
    return new KickstartSection.Packages(
        at,
        name,
        v.flag("excludedocs"),
        v.flag("ignoremissing"),
        v.flag("default"),
        v.flag("multilib"),
        v.flag("nocore"),
        v.flag("exclude-weakdeps"),
        v.flag("ignorebroken"),
        v.word("inst-langs"),
        v.number("timeout"),
        v.number("retries"),
        packages);
  }
}
