package slipway.startup;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Random;
import slipway.archive.compress.Compression;
import slipway.base.Progress;
import slipway.builder.cache.CacheDurability;
import slipway.builder.cache.Snapshots;
import slipway.builder.engine.Builder;
import slipway.builder.engine.ImageDraft;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildSession;
import slipway.builder.session.ImagePuller;
import slipway.builder.session.StageResult;
import slipway.builder.session.StepExecutor;
import slipway.oci.layout.BlobWriter;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;

/**
 * Makes a build whose every step is in the cache, so that the JVM's ahead-of-time cache, which is
 * trained where nothing can be mounted, holds what a build loads. Needs no privilege: what the
 * steps would do is made up.
 */
public final class BuildTraining {
  private static final String BASE = "localhost/training/base:1";
  private static final String CREATED = "2024-01-01T00:00:00Z";

  /** One of each instruction that images of machines are made with. */
  private static final String CONTAINERFILE =
      """
      # syntax=docker/dockerfile:1
      ARG BASE=%s
      FROM ${BASE} AS tools
      RUN echo tool > /usr/bin/tool
      FROM ${BASE}
      ARG VERSION=1
      ENV A=b PATH=/usr/bin:${PATH}
      LABEL title="a b" version=${VERSION}
      RUN mkdir -p /usr/share/site && \\
          echo one > /usr/share/site/one
      RUN --mount=type=cache,target=/var/cache ["true"]
      COPY page.html folder/ /usr/share/site/
      COPY <<EOF /etc/greeting
      hello ${A}
      EOF
      WORKDIR /srv
      USER 0
      EXPOSE 80/tcp
      ENTRYPOINT ["/bin/sh"]
      CMD ["-c", "true"]
      """
          .formatted(BASE);

  private BuildTraining() {}

  /**
   * Fills a state folder: a base image, and the results of all steps of the context that this
   * makes. A build of it finds everything in the cache then.
   *
   * @param state of the product, empty
   * @param context does not exist yet
   */
  public static void prepare(Path state, Path context) throws IOException {
    Files.createDirectories(context.resolve("folder"));
    Files.writeString(context.resolve("Containerfile"), CONTAINERFILE);
    Files.writeString(context.resolve(".dockerignore"), "*.tmp\n");
    Files.writeString(context.resolve("page.html"), "<p>hello\n");
    Files.writeString(context.resolve("folder/more.html"), "<p>more\n");
    try (LocalStore store = LocalStore.open(state.resolve("store"))) {
      unpacked(state.resolve("build"), store, base(store));
      new Builder(
              new BuildSession.Machine(
                  store,
                  state.resolve("build").toAbsolutePath().normalize(),
                  ImagePuller.NONE,
                  Clock.systemUTC(),
                  Map.of(),
                  new Random(),
                  MADE_UP,
                  () -> RegistryOptions.anonymous(Map.of())))
          .build(BuildRequest.of(context).build(), Progress.NONE, line -> {});
    }
  }

  /** Says that a layer has been unpacked, which gives files their owners and so needs privilege. */
  private static void unpacked(Path build, LocalStore store, Digest layer) throws IOException {
    Snapshots snapshots = new Snapshots(build, store, CacheDurability.of(build));
    Path scratch = Files.createDirectories(build.resolve("training"));
    Path files = Files.createDirectory(scratch.resolve("files"));
    snapshots.adopt(files, StageResult.SNAPSHOT_PREFIX + layer.hex(), scratch);
  }

  /** An image of one layer without files; gives the digest of the layer when unpacked. */
  private static Digest base(LocalStore store) throws IOException {
    byte[] tar = new byte[1024];
    Digest diffId = Digest.sha256(tar);
    Descriptor layer;
    try (BlobWriter writer = store.newBlob()) {
      try (OutputStream zstd = Compression.ZSTD.compress(writer, 1)) {
        zstd.write(tar);
      }
      layer = writer.commit(MediaTypes.OCI_LAYER_ZSTD);
    }
    ImageDraft draft = ImageDraft.scratch(Platform.host());
    draft.cmd = List.of("/bin/sh");
    draft.labels.put("containers.bootc", "1");
    draft.addHistory(new ImageConfig.History(CREATED, "base", null, false));
    Descriptor config =
        store.putBlob(MediaTypes.OCI_CONFIG, draft.toConfig(CREATED, List.of(diffId)).toJson());
    store.putManifest(Manifest.Image.of(config, List.of(layer), Map.of()), Reference.parse(BASE));
    return diffId;
  }

  private static final StepExecutor MADE_UP =
      new StepExecutor() {
        @Override
        public void begin() {
          // Nothing is mounted.
        }

        @Override
        public void apply(Action action, List<Path> lowers, Path upper, Path scratch)
            throws IOException {
          Files.writeString(upper.resolve("made-up"), "a file\n");
        }
      };
}
