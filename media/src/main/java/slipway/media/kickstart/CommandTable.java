package slipway.media.kickstart;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The commands and sections, read from {@code commands.txt}, which explains its lines. */
final class CommandTable {
  private static final Map<String, CommandSyntax> ALL = load();

  private CommandTable() {}

  /** The command or section of that name in a version, if that has it. */
  static @Nullable CommandSyntax find(String name, KickstartVersion version) {
    CommandSyntax syntax = ALL.get(name);
    return syntax != null && syntax.versions().contains(version) ? syntax : null;
  }

  /** All of all versions, each once. */
  static Collection<CommandSyntax> all() {
    return List.copyOf(new LinkedHashMap<>(byFirstName()).values());
  }

  private static Map<String, CommandSyntax> byFirstName() {
    Map<String, CommandSyntax> first = new LinkedHashMap<>();
    ALL.values().forEach(syntax -> first.put(syntax.name(), syntax));
    return first;
  }

  /** The words that may begin a line of a version. */
  static Set<String> names(KickstartVersion version, boolean sections) {
    Set<String> names = new TreeSet<>();
    for (Map.Entry<String, CommandSyntax> entry : ALL.entrySet()) {
      if (entry.getValue().versions().contains(version)
          && entry.getKey().startsWith("%") == sections) {
        names.add(entry.getKey());
      }
    }
    return names;
  }

  private static Map<String, CommandSyntax> load() {
    Map<String, CommandSyntax> all = new LinkedHashMap<>();
    try (InputStream in = CommandTable.class.getResourceAsStream("commands.txt")) {
      if (in == null) {
        throw new IllegalStateException("commands.txt is missing");
      }
      List<String> block = new ArrayList<>();
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (line.startsWith("#")) {
          continue;
        }
        if (!line.startsWith(" ") && !block.isEmpty()) {
          add(all, block);
          block.clear();
        }
        block.add(line.strip());
      }
      add(all, block);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }

  private static void add(Map<String, CommandSyntax> all, List<String> block) {
    CommandSyntax syntax = command(block);
    syntax.names().forEach(name -> all.put(name, syntax));
  }

  private static CommandSyntax command(List<String> block) {
    Deque<String> head = words(block.getFirst());
    List<String> names = List.of(head.remove().split(","));
    Set<KickstartVersion> versions = EnumSet.noneOf(KickstartVersion.class);
    Set<CommandSyntax.Mark> marks = EnumSet.noneOf(CommandSyntax.Mark.class);
    for (String word : head) {
      if (word.equals(word.toUpperCase(Locale.ROOT))) {
        versions.add(KickstartVersion.valueOf(word));
      } else {
        marks.add(CommandSyntax.Mark.valueOf(word.toUpperCase(Locale.ROOT)));
      }
    }
    Set<KickstartVersion> removed = EnumSet.noneOf(KickstartVersion.class);
    Set<KickstartVersion> deprecated = EnumSet.noneOf(KickstartVersion.class);
    Map<KickstartVersion, List<String>> conflicts = new EnumMap<>(KickstartVersion.class);
    CommandSyntax.Once once = null;
    List<OptionSyntax> options = new ArrayList<>();
    for (String line : block.subList(1, block.size())) {
      Deque<String> words = words(line);
      switch (words.peek()) {
        case "removed" -> removed.addAll(versions(words));
        case "deprecated" -> deprecated.addAll(versions(words));
        case "conflicts" -> conflicts(words, versions, conflicts);
        case "once" -> once = once(line);
        default -> options.add(option(words, versions));
      }
    }
    return new CommandSyntax(
        names, versions, marks, removed, deprecated, conflicts, once, List.copyOf(options));
  }

  private static Deque<String> words(String line) {
    return new ArrayDeque<>(List.of(line.split(" ")));
  }

  private static Set<KickstartVersion> versions(Deque<String> words) {
    words.remove();
    Set<KickstartVersion> versions = EnumSet.noneOf(KickstartVersion.class);
    words.forEach(word -> versions.add(KickstartVersion.valueOf(word)));
    return versions;
  }

  private static Set<KickstartVersion> versions(String list) {
    Set<KickstartVersion> versions = EnumSet.noneOf(KickstartVersion.class);
    Arrays.stream(list.split(",")).map(KickstartVersion::valueOf).forEach(versions::add);
    return versions;
  }

  private static void conflicts(
      Deque<String> words,
      Set<KickstartVersion> versions,
      Map<KickstartVersion, List<String>> conflicts) {
    words.remove();
    List<String> commands = new ArrayList<>();
    Set<KickstartVersion> on = versions;
    while (!words.isEmpty()) {
      String word = words.remove();
      if (word.equals("on")) {
        on = versions(words.remove());
      } else {
        commands.add(word);
      }
    }
    on.forEach(version -> conflicts.put(version, List.copyOf(commands)));
  }

  private static CommandSyntax.Once once(String line) {
    int colon = line.indexOf(": ");
    return new CommandSyntax.Once(
        List.of(line.substring("once ".length(), colon).split(" ")), line.substring(colon + 2));
  }

  private static OptionSyntax option(Deque<String> words, Set<KickstartVersion> versions) {
    String first = words.remove();
    boolean argument = first.equals("argument");
    List<String> names =
        argument ? List.of(words.remove().replace('_', ' ')) : List.of(first.split(","));
    OptionSyntax.Count count =
        argument ? OptionSyntax.Count.valueOf(words.remove().toUpperCase(Locale.ROOT)) : null;
    String kind = argument ? "text" : words.remove();
    String value = names.getFirst().substring(argument ? 0 : 2);
    String constant = "";
    String initial = null;
    boolean required = false;
    Set<KickstartVersion> on = versions;
    Set<KickstartVersion> deprecated = EnumSet.noneOf(KickstartVersion.class);
    while (!words.isEmpty()) {
      String word = words.remove();
      switch (word) {
        case "as" -> value = words.remove();
        case "is" -> constant = words.remove();
        case "default" -> initial = words.remove().replace("\"\"", "");
        case "required" -> required = true;
        case "on" -> on = versions(words.remove());
        case "deprecated" -> deprecated = versions(words.remove());
        default -> kind = word;
      }
    }
    int colon = kind.indexOf(':');
    List<String> choices = colon < 0 ? List.of() : List.of(kind.substring(colon + 1).split("\\|"));
    ValueKind read =
        ValueKind.valueOf(
            (colon < 0 ? kind : kind.substring(0, colon))
                .toUpperCase(Locale.ROOT)
                .replace('-', '_'));
    return new OptionSyntax(
        names,
        read,
        count,
        choices,
        value,
        constant,
        initial(read, initial),
        required,
        on,
        deprecated);
  }

  private static @Nullable Object initial(ValueKind kind, @Nullable String text) {
    return switch (kind) {
      case FLAG -> false;
      case OFF -> true;
      default -> text;
    };
  }
}
