package slipway.cloud;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import slipway.base.Cleanup;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.ArchitectureValues;
import software.amazon.awssdk.services.ec2.model.ImportSnapshotTask;
import software.amazon.awssdk.services.ec2.model.SnapshotTaskDetail;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.VolumeType;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.Permission;

/**
 * Makes an AMI of a disk in raw format, in the order of bootc-image-builder: an object in S3, an
 * EBS snapshot that EC2 imports of it, and the AMI on that. Credentials and profiles are found as
 * the SDK finds them.
 */
public final class AmiUpload implements AutoCloseable {
  /** Between two looks at an import, which takes minutes. */
  private static final Duration PAUSE = Duration.ofSeconds(15);

  /** An import that tells nothing new for so long has failed. */
  private static final Duration PATIENCE = Duration.ofHours(6);

  private static final String ROOT = "/dev/sda1";

  private final AmiRequest request;
  private final S3Client s3;
  private final Ec2Client ec2;
  private final Duration pause;

  /** What was made. */
  public record Made(String ami, String snapshot) {}

  private AmiUpload(AmiRequest request, S3Client s3, Ec2Client ec2, Duration pause) {
    this.request = request;
    this.s3 = s3;
    this.ec2 = ec2;
    this.pause = pause;
  }

  /** Prepares an upload; nothing is asked of AWS yet. */
  public static AmiUpload of(AmiRequest request) {
    return of(request, null, PAUSE);
  }

  /**
   * @param endpoint of S3 and EC2 in place of AWS' own
   */
  static AmiUpload of(AmiRequest request, @Nullable URI endpoint, Duration pause) {
    Region region = Region.of(request.region());
    var s3 =
        S3Client.builder()
            .region(region)
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .httpClientBuilder(UrlConnectionHttpClient.builder());
    var ec2 =
        Ec2Client.builder().region(region).httpClientBuilder(UrlConnectionHttpClient.builder());
    if (endpoint != null) {
      s3.endpointOverride(endpoint).forcePathStyle(true);
      ec2.endpointOverride(endpoint);
    }
    return new AmiUpload(request, s3.build(), ec2.build(), pause);
  }

  /**
   * Asks AWS whether an upload can succeed; it is told before a disk is built.
   *
   * @throws Problem in the words of bootc-image-builder
   */
  public void check() {
    String region = request.region();
    boolean known =
        AwsFaults.call("asking for the regions", ec2::describeRegions).regions().stream()
            .anyMatch(each -> region.equals(each.regionName()));
    if (!known) {
      throw Problem.input("given AWS region '" + region + "' not found");
    }
    String bucket = request.bucket();
    boolean there =
        AwsFaults.call("asking for the buckets", s3::listBuckets).buckets().stream()
            .anyMatch(each -> bucket.equals(each.name()));
    if (!there) {
      throw Problem.input("bucket '" + bucket + "' not found in the given AWS account");
    }
    boolean writable =
        AwsFaults.call(
                "asking for the rights to the bucket", () -> s3.getBucketAcl(r -> r.bucket(bucket)))
            .grants()
            .stream()
            .anyMatch(
                grant ->
                    grant.permission() == Permission.WRITE
                        || grant.permission() == Permission.FULL_CONTROL);
    if (!writable) {
      throw Problem.denied(
          "you don't have write permissions to bucket '" + bucket + "' with the given AWS account");
    }
    requireFreeName();
  }

  /** EC2 would refuse the name after the whole upload. */
  private void requireFreeName() {
    boolean free =
        AwsFaults.call(
                "asking for AMIs of the name",
                () ->
                    ec2.describeImages(
                        r -> r.owners("self").filters(f -> f.name("name").values(request.name()))))
            .images()
            .isEmpty();
    if (!free) {
      throw Problem.input(
          "there is an AMI named '"
              + request.name()
              + "' in "
              + request.region()
              + " already; name another by --aws-ami-name");
    }
  }

  /**
   * Uploads a disk.
   *
   * @param disk raw
   * @throws Problem when a step fails; what the steps before it made is gone, or named
   */
  public Made upload(Path disk, Progress progress) throws IOException {
    String key = UUID.randomUUID() + "-" + request.name();
    String object = "s3://" + request.bucket() + "/" + key;
    new S3Parts(s3, request.bucket(), key).send(disk, progress);
    // Once the AMI is there it stays, whatever becomes of the object.
    try (Cleanup sent = AwsFaults.undone("the object " + object, progress, () -> delete(key))) {
      return register(key, progress);
    }
  }

  private void delete(String key) {
    s3.deleteObject(r -> r.bucket(request.bucket()).key(key));
  }

  private Made register(String key, Progress progress) throws IOException {
    String snapshot = importSnapshot(key, progress);
    try (Cleanup imported =
        AwsFaults.undone(
            "the snapshot " + snapshot,
            progress,
            () -> ec2.deleteSnapshot(r -> r.snapshotId(snapshot)))) {
      tag(snapshot);
      String ami = registerImage(snapshot);
      try (Cleanup registered =
          AwsFaults.undone(
              "the AMI " + ami, progress, () -> ec2.deregisterImage(r -> r.imageId(ami)))) {
        tag(ami);
        registered.keep();
      }
      imported.keep();
      return new Made(ami, snapshot);
    }
  }

  /** Gives the snapshot's id when it is there. */
  private String importSnapshot(String key, Progress progress) throws IOException {
    String what = "importing the snapshot";
    String task =
        AwsFaults.call(
            what,
            () ->
                ec2.importSnapshot(
                        r ->
                            r.description("Image Builder AWS Import of " + request.name())
                                .diskContainer(
                                    d ->
                                        d.format("raw")
                                            .userBucket(
                                                b -> b.s3Bucket(request.bucket()).s3Key(key))))
                    .importTaskId());
    try (Cleanup begun =
            AwsFaults.undone(
                "the import " + task,
                progress,
                () -> ec2.cancelImportTask(r -> r.importTaskId(task)));
        Progress.Phases phases = progress.phases(what)) {
      String snapshot = awaitSnapshot(task, what, phases);
      begun.keep();
      return snapshot;
    }
  }

  private String awaitSnapshot(String task, String what, Progress.Phases phases) {
    long last = System.nanoTime();
    String known = "";
    while (true) {
      SnapshotTaskDetail detail = detail(task, what);
      String status = String.valueOf(detail.status());
      String at = status + " " + detail.progress() + " " + detail.statusMessage();
      if (!at.equals(known)) {
        known = at;
        last = System.nanoTime();
        phases.at(said(detail));
      }
      String snapshot = detail.snapshotId();
      if (status.equals("completed") && snapshot != null) {
        return snapshot;
      }
      boolean over = !status.equals("active") && !status.equals("pending");
      if (over || System.nanoTime() - last > PATIENCE.toNanos()) {
        throw Problem.unavailable(
            "Unable to import snapshot, task result: "
                + Printable.text(status)
                + ", msg: "
                + Printable.text(String.valueOf(detail.statusMessage())),
            null);
      }
      try {
        Thread.sleep(pause);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new Problem(Problem.Kind.ENVIRONMENT, what + " was interrupted", e);
      }
    }
  }

  private static String said(SnapshotTaskDetail detail) {
    String percent = detail.progress() == null ? "" : detail.progress() + " % ";
    String message = detail.statusMessage() == null ? "" : detail.statusMessage();
    return Printable.text((percent + message).strip());
  }

  private SnapshotTaskDetail detail(String task, String what) {
    List<ImportSnapshotTask> tasks =
        AwsFaults.call(what, () -> ec2.describeImportSnapshotTasks(r -> r.importTaskIds(task)))
            .importSnapshotTasks();
    if (tasks.isEmpty() || tasks.getFirst().snapshotTaskDetail() == null) {
      throw Problem.unavailable(what + ": AWS no longer knows the import " + task, null);
    }
    return tasks.getFirst().snapshotTaskDetail();
  }

  private void tag(String resource) {
    List<Tag> tags =
        request.allTags().entrySet().stream()
            .map(tag -> Tag.builder().key(tag.getKey()).value(tag.getValue()).build())
            .toList();
    AwsFaults.call(
        "tagging " + resource, () -> ec2.createTags(r -> r.resources(resource).tags(tags)));
  }

  private String registerImage(String snapshot) {
    return AwsFaults.call(
        "registering the AMI",
        () ->
            ec2.registerImage(
                    r ->
                        r.name(request.name())
                            .architecture(ArchitectureValues.fromValue(request.machine()))
                            .bootMode(request.firmware().mode())
                            .virtualizationType("hvm")
                            .rootDeviceName(ROOT)
                            .enaSupport(true)
                            .blockDeviceMappings(
                                m ->
                                    m.deviceName(ROOT)
                                        .ebs(
                                            e ->
                                                e.snapshotId(snapshot)
                                                    .volumeType(VolumeType.GP3)
                                                    .deleteOnTermination(true))))
                .imageId());
  }

  @Override
  public void close() {
    s3.close();
    ec2.close();
  }
}
