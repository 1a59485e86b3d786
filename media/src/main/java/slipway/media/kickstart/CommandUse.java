package slipway.media.kickstart;

import java.util.List;

/**
 * A command in its line, with its options dealt out.
 *
 * @param name by which it is called there
 * @param words behind the name
 * @param values what the line says; for commands that stand once, over what earlier lines said
 * @param rest words that nothing took
 * @param line as it stands in the file
 */
record CommandUse(
    CommandSyntax syntax,
    String name,
    KickstartVersion version,
    List<KickstartWord> words,
    OptionValues values,
    List<KickstartWord> rest,
    String line) {

  /** The line behind the name, as commands see it that split it themselves. */
  String tail() {
    int start = PythonText.start(line) + name.length();
    return start > line.length() ? "" : PythonText.strip(line.substring(start));
  }

  List<String> restTexts() {
    return rest.stream().map(KickstartWord::text).toList();
  }

  /** A fault at an option of the line. */
  KickstartFault fault(String message, String value) {
    return new KickstartFault(message, values.place(value), "");
  }

  void require(boolean good, String message, String value) throws KickstartFault {
    if (!good) {
      throw fault(message, value);
    }
  }

  /** Refuses what is left over, in the words that most commands have for it. */
  void refuseRest(String command) throws KickstartFault {
    if (!rest.isEmpty()) {
      throw new KickstartFault(
          "Unexpected arguments to " + command + " command: " + PythonText.repr(restTexts()),
          rest.getFirst().index(),
          ArgumentReader.hint(syntax, rest.getFirst().text(), version));
    }
  }
}
