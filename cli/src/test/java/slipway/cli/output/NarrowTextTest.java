package slipway.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NarrowTextTest {
  @Test
  void whatHasRoomStaysAsItIs() {
    String text = "Usage: slipway images [-q]\nList images.\n\n  -q, --quiet   ids only\n";
    assertThat(NarrowText.fit(text, 45)).isEqualTo(text);
    assertThat(NarrowText.fit("x ".repeat(60) + "\n", 39)).hasLineCount(1);
    assertThat(NarrowText.fit("x ".repeat(60) + "\n", 0)).hasLineCount(1);
  }

  @Test
  void aTextStaysBehindItsNameAndWithLessRoomBelow() {
    String row = "  -f, --file=FILE   Containerfile, also relative to the context\n";
    String further = " ".repeat(20) + "or a name, - for standard input\n";
    assertThat(NarrowText.fit(row + further, 44))
        .isEqualTo(
            """
              -f, --file=FILE   Containerfile, also
                                relative to the context
                                or a name, - for
                                standard input
            """);
    assertThat(NarrowText.fit(row + further, 40))
        .isEqualTo(
            """
              -f, --file=FILE
                    Containerfile, also relative to
                    the context
                    or a name, - for standard input
            """);
  }

  @Test
  void aUsageGoesOnBelowTheCommand() {
    assertThat(NarrowText.fit("Usage: slipway build [-hq] [--no-cache] [-f=FILE]\n", 40))
        .isEqualTo("Usage: slipway build [-hq] [--no-cache]\n       [-f=FILE]\n");
  }

  @Test
  void anExampleIsACommandLineInTwoLinesToo() {
    assertThat(NarrowText.fit("  slipway build -f web.containerfile -t web:2 src\n", 40))
        .isEqualTo("  slipway build -f web.containerfile \\\n      -t web:2 src\n");
    assertThat(NarrowText.fit("  bootc        keep a machine current with an image\n", 40))
        .isEqualTo("  bootc        keep a machine current\n               with an image\n");
  }

  @Test
  void stylesTakeNoRoom() {
    String name = "  \033[33m-q\033[39m\033[0m, \033[33m--quiet\033[39m\033[0m";
    String text = "print the \033[1mids\033[0m and nothing else";
    assertThat(NarrowText.fit(name + "   " + text + "\n", 40))
        .isEqualTo(
            name + "   print the \033[1mids\033[0m and\n" + " ".repeat(16) + "nothing else\n");
    String named = "      \033[33m--kernel\033[39m\033[0m=\033[3mPACKAGE\033[23m\033[0m";
    assertThat(NarrowText.fit(named + "   the kernel's\n", 40))
        .isEqualTo(named + "\n" + " ".repeat(8) + "the kernel's\n");
  }
}
