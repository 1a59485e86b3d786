package slipway.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.cli.Ran;
import slipway.linux.lock.Flock;
import slipway.oci.model.Descriptor;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;
import slipway.ostree.repo.Repository;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What commands tell of a store and remove from it. */
class StoredImagesTest {
  @TempDir Path dir;

  private Ran run(String... words) {
    return Ran.of("slipway", List.of(words), "--root", dir.toString());
  }

  private JsonNode json(String... words) {
    Ran ran = run(words);
    assertThat(ran.err()).isEmpty();
    return JsonMapper.shared().readTree(ran.out());
  }

  private static Manifest.Image put(LocalStore store, @Nullable String name, String label) {
    byte[] config =
        ImageConfig.of(Platform.host(), null, Map.of("label", label), List.of()).toJson();
    Descriptor blob = store.putBlob(MediaTypes.OCI_CONFIG, config);
    Manifest.Image image = Manifest.Image.of(blob, List.of(), Map.of());
    store.putManifest(image, name == null ? null : LocalStore.localName(name));
    return image;
  }

  private LocalStore store() {
    return LocalStore.open(dir.resolve("store"));
  }

  /** As podman shows images that lost their name, and keeps them until they are meant. */
  @Test
  void imagesWithoutANameAreShownAndRemovedByTheirId() {
    Manifest.Image old;
    Manifest.Image loaded;
    try (LocalStore store = store()) {
      old = put(store, "web:1", "old");
      put(store, "web:1", "new");
      loaded = put(store, null, "loaded");
      put(store, "other:1", "other");
    }
    String id = ImagesCommand.id(loaded);
    assertThat(run("images").out())
        .containsPattern("<none> +<none> +" + id)
        .containsPattern("<none> +<none> +" + ImagesCommand.id(old))
        .hasLineCount(5);
    assertThat(run("images", "-a").out()).isEqualTo(run("images").out());
    assertThat(run("images", "-q").out()).contains(id).hasLineCount(4);
    assertThat(json("images", "--json"))
        .anySatisfy(
            image -> {
              assertThat(image.path("digest").asString()).isEqualTo(loaded.digest().toString());
              assertThat(image.has("name")).isFalse();
            });
    // As many as the overview counts.
    assertThat(json("system", "df", "--json").get(0).path("Total").asInt()).isEqualTo(4);
    assertThat(run("rmi", "other:1").status()).isZero();
    assertThat(run("images", "-q").out()).contains(id).hasLineCount(3);
    assertThat(run("rmi", id)).isEqualTo(new Ran(0, "Deleted: " + loaded.digest() + "\n", ""));
    assertThat(run("images", "-q").out()).doesNotContain(id).hasLineCount(2);
    assertThat(run("rmi", id).err()).contains("no image \"" + id + "\"");
    try (LocalStore store = store()) {
      assertThat(store.has(loaded.config().digest())).isFalse();
      assertThat(store.has(old.config().digest())).isTrue();
    }
    assertThat(run("rmi", "--all").status()).isZero();
    assertThat(run("images", "-q").out()).isEmpty();
  }

  /** As of an image that was pulled by its tag and then by its digest. */
  @Test
  void aNameByDigestIsNotShownBesideATagOfTheSameImage() {
    Manifest.Image image;
    try (LocalStore store = store()) {
      image = put(store, "web:1", "one");
      store.tag(List.of(LocalStore.localName("web@" + image.digest())), image.digest());
      store.tag(List.of(LocalStore.localName("api@" + image.digest())), image.digest());
    }
    String id = ImagesCommand.id(image);
    assertThat(run("images").out())
        .hasLineCount(3)
        .containsPattern("localhost/web +1 +" + id)
        .containsPattern("localhost/api +<none> +" + id);
    assertThat(json("images", "--json")).hasSize(2);
    assertThat(run("rmi", "web:1").status()).isZero();
    assertThat(run("images").out()).hasLineCount(3).containsPattern("localhost/web +<none> +" + id);
  }

  @Test
  void layersOfDisksAreToldAndRemoved() throws Exception {
    store().close();
    Path layers = dir.resolve("layers");
    Repository.create(layers.resolve("repo"), Repository.Mode.BARE_USER);
    Files.write(layers.resolve("repo/objects/kept"), new byte[1_000_000]);
    JsonNode row = json("system", "df", "--json").get(4);
    assertThat(row.path("Type").asString()).isEqualTo("Disk Layers");
    assertThat(row.path("RawReclaimable").asLong()).isBetween(1_000_000L, 1_200_000L);
    try (Flock build = Flock.file(layers.resolve("lock"), false)) {
      assertThat(run("system", "prune", "--force").err()).contains("uses the store");
    }
    assertThat(json("system", "prune", "--json").path("reclaimedBytes").asLong())
        .isGreaterThan(1_000_000);
    assertThat(layers.resolve("repo")).doesNotExist();
    assertThat(json("system", "df", "--json").get(4).path("RawSize").asLong()).isZero();
  }

  @Test
  void whatBuildsOfBaseImagesKeepIsToldAndRemoved() throws Exception {
    store().close();
    Path suite = Files.createDirectories(dir.resolve("base/archives/trixie"));
    Files.write(suite.resolve("a.deb"), new byte[1_000_000]);
    Path agent = Files.createDirectories(dir.resolve("base/agent/0123"));
    Files.write(agent.resolve("run.jsa"), new byte[500_000]);
    JsonNode row = json("system", "df", "--json").get(3);
    assertThat(row.path("Type").asString()).isEqualTo("Base Build");
    assertThat(row.path("Total").asInt()).isEqualTo(2);
    assertThat(row.path("RawSize").asLong()).isBetween(1_500_000L, 1_600_000L);
    assertThat(row.path("RawReclaimable").asLong()).isEqualTo(row.path("RawSize").asLong());
    try (Flock build = Flock.file(dir.resolve("base/lock"), true)) {
      assertThat(run("system", "prune", "--force").err()).contains("uses the store");
      assertThat(json("system", "df", "--json").get(3).path("RawReclaimable").asLong()).isZero();
    }
    assertThat(json("system", "prune", "--json", "--filter", "until=1h").path("buildParts").asInt())
        .isZero();
    assertThat(suite.resolve("a.deb")).exists();
    JsonNode pruned = json("system", "prune", "--json");
    assertThat(pruned.path("buildParts").asInt()).isEqualTo(2);
    assertThat(pruned.path("reclaimedBytes").asLong()).isGreaterThan(1_500_000);
    assertThat(dir.resolve("base/archives")).isEmptyDirectory();
    assertThat(dir.resolve("base")).isDirectoryNotContaining("glob:**/.removed-*");
  }

  @Test
  void whatBuildsKeepIsRemovedWhereNoImagesAre() throws Exception {
    Path aside = Files.createDirectories(dir.resolve("build/aside/1"));
    Path suite = Files.createDirectories(dir.resolve("base/archives/trixie"));
    Files.write(suite.resolve("a.deb"), new byte[1_000_000]);
    Ran pruned = run("system", "prune", "--force");
    assertThat(pruned.out()).startsWith("Deleted: 0 blobs of images, 2 parts of builds\n");
    assertThat(pruned.status()).isZero();
    assertThat(aside).doesNotExist();
    assertThat(suite).doesNotExist();
    assertThat(dir.resolve("store")).doesNotExist();
  }

  @Test
  void stepsHaveTheSizesOfTheirLayers() {
    Descriptor layer;
    try (LocalStore store = store()) {
      byte[] tar = new byte[1024];
      layer = store.putBlob(MediaTypes.OCI_LAYER, tar);
      String config =
          """
          {"os":"%s","architecture":"%s","rootfs":{"type":"layers","diff_ids":["%s"]},
           "history":[{"created_by":"COPY a /"},{"created_by":"ENV a=b","empty_layer":true}]}"""
              .formatted(Platform.host().os(), Platform.host().architecture(), layer.digest());
      Descriptor blob =
          store.putBlob(MediaTypes.OCI_CONFIG, config.getBytes(StandardCharsets.UTF_8));
      store.putManifest(
          Manifest.Image.of(blob, List.of(layer), Map.of()), LocalStore.localName("web:1"));
    }
    JsonNode steps = json("history", "--json", "web:1");
    assertThat(steps.get(0).path("createdBy").asString()).isEqualTo("COPY a /");
    assertThat(steps.get(0).path("size").asLong()).isEqualTo(1024);
    assertThat(steps.get(1).path("size").asLong(-1)).isZero();
    assertThat(run("history", "web:1").out().lines().toList().get(2)).endsWith("1.0 kB");
  }

  @Test
  void aCheckSaysThatAllIsRight() {
    Manifest.Image image;
    try (LocalStore store = store()) {
      image = put(store, "web:1", "x");
    }
    assertThat(run("inspect", "--check", "web:1").err())
        .isEqualTo("checked " + image.digest() + ": digests, sizes and layers are right\n");
    assertThat(run("inspect", "web:1").err()).isEmpty();
  }
}
