package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.builder.session.BuildRequest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;

/** Stages and what they make: the image in the store, its names, its config, its digest. */
class BuilderTest extends BaseCase {
  @Test
  void theImageIsInTheStoreUnderItsNames() throws Exception {
    Manifest.Image image =
        lab.build(
            BuildRequest.of(lab.fiveSteps())
                .tags(List.of(LocalStore.localName("web"), LocalStore.localName("r.example/w:2")))
                .labels(Map.of("l", "1"))
                .annotations(Map.of("a", "2")));
    assertThat(lab.store.image("web", Platform.host())).isEqualTo(image);
    assertThat(lab.store.image("r.example/w:2", Platform.host())).isEqualTo(image);
    assertThat(image.annotations())
        .containsEntry("a", "2")
        .containsEntry("org.opencontainers.image.base.name", "base:1")
        .containsEntry(
            "org.opencontainers.image.base.digest",
            lab.store.image("base:1", Platform.host()).digest().toString());
    ImageConfig config = lab.config(image);
    assertThat(config.labels()).containsEntry("l", "1");
    assertThat(config.diffIds()).hasSize(4);
    assertThat(config.history().stream().map(ImageConfig.History::createdBy))
        .containsExactly(
            "base",
            "ENV A=b",
            "RUN /bin/sh -c echo one > /one",
            "COPY file /file",
            "RUN /bin/sh -c cat /one /file > /both");
    assertThat(lab.text(image, "both")).isEqualTo("one\nfile\n");
  }

  @Test
  void onlyNeededStagesAreBuilt() throws Exception {
    Path context =
        lab.context(
            """
            ARG BASE=base:1
            FROM ${BASE} AS one
            RUN echo one > /one
            FROM $BASE AS two
            RUN exit 1
            FROM one AS three
            ARG FROM=one
            COPY --from=${FROM} /one /copied
            FROM scratch AS four
            COPY --from=two /x /x
            """);
    Manifest.Image image = lab.build(BuildRequest.of(context).target("THREE"));
    assertThat(lab.text(image, "copied")).isEqualTo("one\n");
    assertThat(lab.notes).noneMatch(n -> n.contains("two "));
    assertThat(lab.build(BuildRequest.of(context).target("0")).layers()).hasSize(2);
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context).target("thre")))
        .hasMessageContaining("there is no stage \"thre\"")
        .hasMessageEndingWith("did you mean three?");
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
        .hasMessageContaining("Containerfile:5: RUN exit 1 failed with status 1");
  }

  @Test
  void stagesRunSideBySide() throws Exception {
    // Each waits for the other through a shared cache: only together can they end.
    Path context =
        lab.context(
            """
            FROM base:1 AS a
            RUN --mount=type=cache,target=/c touch /c/a; until test -e /c/b; do sleep 0.02; done; touch /a
            FROM base:1 AS b
            RUN --mount=type=cache,target=/c touch /c/b; until test -e /c/a; do sleep 0.02; done; touch /b
            FROM scratch
            COPY --from=a /a /
            COPY --from=b /b /
            """);
    Manifest.Image image = lab.build(BuildRequest.of(context).jobs(2));
    assertThat(lab.tree(image).find("a")).isPresent();
    assertThat(lab.tree(image).find("b")).isPresent();
  }

  @Test
  void anArgumentThatAnArgOfTheBasesOnBuildTakesIsNotCalledUnknown() throws Exception {
    lab.build(
        BuildRequest.of(lab.context("FROM base:1\nONBUILD ARG OB=x\nONBUILD RUN echo $OB >/f\n"))
            .tags(List.of(LocalStore.localName("trigger"))));
    lab.notes.clear();
    Manifest.Image image =
        lab.build(
            BuildRequest.of(lab.context("FROM trigger\n"))
                .arguments(Map.of("OB", "given", "NOBODY", "1")));
    assertThat(lab.text(image, "f")).isEqualTo("given\n");
    assertThat(lab.notes)
        .contains("no ARG takes the build argument NOBODY")
        .noneMatch(n -> n.contains("build argument OB"));
  }

  @Test
  void triggersOfTheBaseRunFirst() throws Exception {
    lab.build(
        BuildRequest.of(
                lab.context("FROM base:1\nONBUILD COPY . /ctx\nONBUILD RUN cp /ctx/file /got\n"))
            .tags(List.of(LocalStore.localName("trigger"))));
    Path context = lab.context("FROM trigger\nRUN cat /got > /again\n");
    Files.writeString(context.resolve("file"), "f");
    Manifest.Image image = lab.build(BuildRequest.of(context));
    assertThat(lab.text(image, "again")).isEqualTo("f");
    assertThat(lab.config(image).onBuild()).isEmpty();
  }

  @Test
  void namedContextsAreTreesToo() throws Exception {
    Path other = Files.createDirectory(directory.resolve("other"));
    Files.writeString(other.resolve("o"), "other");
    Path context = lab.context("FROM scratch\nCOPY --from=more o /o\n");
    Manifest.Image image = lab.build(BuildRequest.of(context).contexts(Map.of("more", other)));
    assertThat(lab.text(image, "o")).isEqualTo("other");
  }

  @Test
  void theCompressionCanBeChosen() throws Exception {
    Path context = lab.context("FROM scratch\nCOPY <<E /x\nx\nE\n");
    Map<Compression, String> types =
        Map.of(
            Compression.ZSTD, MediaTypes.OCI_LAYER_ZSTD,
            Compression.GZIP, MediaTypes.OCI_LAYER_GZIP,
            Compression.NONE, MediaTypes.OCI_LAYER);
    Set<Object> diffIds = new TreeSet<>();
    for (Map.Entry<Compression, String> t : types.entrySet()) {
      Manifest.Image image = lab.build(BuildRequest.of(context).compression(t.getKey()));
      assertThat(image.layers().getFirst().mediaType()).isEqualTo(t.getValue());
      diffIds.add(lab.config(image).diffIds().getFirst());
    }
    assertThat(diffIds).hasSize(1);
  }

  @Test
  @Tag("slow")
  void theSameInputsGiveTheSameDigestElsewhere() throws Exception {
    List<Manifest.Image> images = new ArrayList<>();
    for (String name : List.of("here", "there")) {
      try (Lab other = Lab.withBase(Files.createDirectory(directory.resolve(name)))) {
        Path context =
            other.context(
                """
                FROM base:1 AS first
                RUN mkdir /d && for i in 3 1 2; do date > /now$i; echo $i > /d/$i; done
                FROM base:1
                COPY --from=first /d /d
                RUN --mount=type=cache,target=/c touch /made && rm /etc/group
                COPY . /ctx
                """);
        Files.writeString(context.resolve("file"), "same\n");
        images.add(
            other.build(
                BuildRequest.of(context)
                    .sourceDateEpoch(1_700_000_000L)
                    .compression(name.equals("here") ? Compression.ZSTD : Compression.ZSTD)));
        assertThat(other.config(images.getLast()).created()).isEqualTo("2023-11-14T22:13:20Z");
        other
            .tree(images.getLast())
            .walk(
                (p, n) ->
                    assertThat(n.metadata().mtimeSeconds()).isLessThanOrEqualTo(1_700_000_000L));
      }
    }
    assertThat(images.getFirst().digest()).isEqualTo(images.getLast().digest());
  }

  @Test
  void whatIsMissingIsTold() throws Exception {
    assertThatThrownBy(() -> lab.build(BuildRequest.of(directory.resolve("none"))))
        .hasMessageContaining(
            "the build context " + directory.resolve("none") + " is not a directory");
    Path empty = Files.createDirectory(directory.resolve("empty"));
    assertThatThrownBy(() -> lab.build(BuildRequest.of(empty)))
        .hasMessage("there is no " + empty + "/Dockerfile; name the Containerfile with -f");
    assertThatThrownBy(() -> lab.build("FROM nowhere:5\n"))
        .hasMessageContaining("Containerfile:1: there is no image docker.io/library/nowhere:5");
    assertThatThrownBy(
            () ->
                lab.build(
                    BuildRequest.of(lab.context("FROM nowhere:5\n")).pull(BuildRequest.Pull.NEVER)))
        .hasMessageContaining("Containerfile:1: there is no image nowhere:5 in the store");
    assertThatThrownBy(() -> lab.build("ARG X\nFROM $X\n"))
        .hasMessageContaining("Containerfile:2: FROM $X is empty after its variables are replaced");
  }
}
