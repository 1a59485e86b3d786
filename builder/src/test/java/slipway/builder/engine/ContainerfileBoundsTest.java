package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Platform;

/** Containerfiles that want to take all memory or all time end soon, with one sentence. */
@Timeout(60)
class ContainerfileBoundsTest extends LabCase {
  private void refuses(String containerfile, String message) {
    assertThatThrownBy(() -> lab.build(containerfile))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("Containerfile:")
        .hasMessageContaining(message);
  }

  private static String doubling(String keyword) {
    return IntStream.range(1, 60)
        .mapToObj(i -> keyword + " A" + i + "=$A" + (i - 1) + "${A" + (i - 1) + "}\n")
        .collect(Collectors.joining("", keyword + " A0=0123456789\n", ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ARG", "ENV", "LABEL A=b\nENV"})
  void variablesThatDouble(String keyword) {
    refuses("FROM scratch\n" + doubling(keyword), "--limit word-characters=N");
  }

  @Test
  void globalArgumentsThatDouble() {
    refuses(doubling("ARG") + "FROM scratch\n", "--limit word-characters=N");
  }

  @Test
  void manyLongVariables() {
    String line = "ENV A=" + "x".repeat(1000) + "\nENV A=${A//x/" + "y".repeat(1000) + "}\n";
    String more =
        IntStream.range(0, 40).mapToObj(i -> "ARG B" + i + "=$A\n").collect(Collectors.joining());
    refuses("FROM scratch\n" + line + more, "more than");
  }

  /** Also before any stage begins, in one instruction, in many stages, and in names of stages. */
  @ParameterizedTest
  @ValueSource(strings = {"ENV", "ARG", "COPY", "RUN", "FROM"})
  void longVariablesHaveATotal(String form) {
    int many = 3000;
    String double10 =
        IntStream.range(0, 10).mapToObj(i -> "ENV A=$A$A\n").collect(Collectors.joining());
    String text = "FROM scratch AS s0\nENV A=" + "x".repeat(1000) + "\n" + double10;
    StringBuilder all = new StringBuilder(text);
    switch (form) {
      case "COPY" -> all.append("COPY --from=$A / /x\n".repeat(many));
      case "RUN" -> all.append("RUN --mount=type=bind,from=$A,target=/m x\n".repeat(many));
      case "FROM" ->
          IntStream.range(1, 30)
              .forEach(
                  i -> all.append("FROM s" + (i - 1) + " AS s" + i + "\nENV B=$A C=$A D=$A\n"));
      default -> {
        all.append(form);
        IntStream.range(0, many).forEach(i -> all.append(" b" + i + "=$A"));
      }
    }
    refuses(all.toString(), "--limit variable-characters=N");
  }

  @Test
  void bracesWithinEachOther() {
    refuses(
        "FROM scratch\nENV A=" + "${a:-".repeat(50_000) + "}".repeat(50_000) + "\n",
        "--limit expansion-depth=N");
    refuses("FROM scratch\nENV A=\"" + "${a:-".repeat(50_000) + "\n", "--limit expansion-depth=N");
  }

  @Test
  void depthIsOfNestingNotOfNumber() throws Exception {
    String value = "${a:-${b:-x}}".repeat(500);
    assertThat(lab.config(lab.build("FROM scratch\nENV A=" + value + "\n")).env())
        .contains("A=" + "x".repeat(500));
  }

  @Test
  void manyStages() {
    refuses("FROM scratch\n".repeat(1001) + "LABEL a=b\n", "--limit stages=N");
  }

  @Test
  void manyInstructions() throws Exception {
    refuses("FROM scratch\n" + "LABEL a=b\n".repeat(10_000), "--limit instructions=N");
    String pairs =
        IntStream.range(0, 10_000).mapToObj(i -> " a" + i + "=b").collect(Collectors.joining());
    refuses("FROM scratch\nENV" + pairs + "\n", "the image's variables: more than 10000");
  }

  @Test
  void manyTriggersAndVariablesOfABase() throws Exception {
    ImageDraft triggers = ImageDraft.scratch(Platform.host());
    triggers.onBuild.addAll(Collections.nCopies(10_001, "LABEL a=b"));
    lab.put("localhost/evil:1", triggers.toConfig(null, List.of()));
    refuses("FROM evil:1\n", "ONBUILD of the base image: more than 10000");
    ImageConfig few = ImageDraft.scratch(Platform.host()).toConfig(null, List.of());
    String variables =
        IntStream.range(0, 10_001)
            .mapToObj(i -> "\"a" + i + "=b\"")
            .collect(Collectors.joining(",", "\"Env\":[", "]"));
    String json = new String(few.toJson(), StandardCharsets.UTF_8);
    lab.put(
        "localhost/evil:1",
        ImageConfig.parse(
            json.replaceFirst("\"Env\":\\[[^]]*]", variables).getBytes(StandardCharsets.UTF_8)));
    refuses("FROM evil:1\n", "the image's variables: more than 10000");
  }

  /** A few stages on an image of many triggers are many instructions, too. */
  @Test
  void manyTriggersOfManyStages() throws Exception {
    ImageDraft triggers = ImageDraft.scratch(Platform.host());
    triggers.onBuild.addAll(Collections.nCopies(100, "LABEL a=b"));
    lab.put("localhost/evil:1", triggers.toConfig(null, List.of()));
    Limit.set("instructions=250", "the test");
    try {
      String two = "FROM evil:1 AS a\nFROM evil:1\nCOPY --from=a / /\n";
      assertThat(lab.config(lab.build(two)).labels()).containsEntry("a", "b");
      refuses(
          two.replace(
              "FROM evil:1\n",
              "FROM evil:1 AS b\nCOPY --from=a / /\nFROM evil:1\nCOPY --from=b / /\n"),
          "more than 250 (instructions");
    } finally {
      Limit.set("instructions=" + Limit.INSTRUCTIONS.preset(), "the test");
    }
  }

  @Test
  void aDirectiveOfBlanks() throws Exception {
    String blanks = " ".repeat(1_000_000);
    assertThat(
            lab.config(lab.build("# check=a" + blanks + "b\nFROM scratch\nLABEL a=b\n")).labels())
        .containsEntry("a", "b");
  }

  @Test
  void modesAndTimesOfManyCharacters() {
    refuses("FROM scratch\nCOPY --chmod=" + "+".repeat(500_000) + " . /\n", "is none");
    refuses(
        "FROM scratch\nHEALTHCHECK --interval=" + "9".repeat(500_000) + "s CMD x\n",
        "at least 1ms");
    refuses(
        "FROM scratch\nRUN --mount=type=tmpfs,target=/x,size=999999999999999t x\n", "any memory");
  }
}
