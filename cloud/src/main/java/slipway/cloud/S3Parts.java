package slipway.cloud;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import slipway.base.Cleanup;
import slipway.base.Problem;
import slipway.base.Progress;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/** A file that becomes an object of S3, in parts, a few at a time. */
final class S3Parts {
  /** Of 5 MiB to 5 GiB (S3 user guide, "multipart upload limits"); held in memory. */
  private static final long SMALLEST = 16L << 20;

  private static final int MOST_PARTS = 10_000;
  private static final int AT_ONCE = 3;

  private final S3Client s3;
  private final String bucket;
  private final String key;
  private final Semaphore room = new Semaphore(AT_ONCE);

  S3Parts(S3Client s3, String bucket, String key) {
    this.s3 = s3;
    this.bucket = bucket;
    this.key = key;
  }

  /** Bytes of a part. */
  static long partSize(long size) {
    long least = (size + MOST_PARTS - 1) / MOST_PARTS;
    return Math.max(SMALLEST, (least + (1 << 20) - 1) >> 20 << 20);
  }

  /** Sends a file; what was sent of it goes when this fails. */
  void send(Path file, Progress progress) throws IOException {
    String what = "uploading the disk to the bucket " + bucket;
    String upload =
        AwsFaults.call(
            what, () -> s3.createMultipartUpload(r -> r.bucket(bucket).key(key)).uploadId());
    try (Cleanup begun =
            AwsFaults.undone(
                "the unfinished upload of s3://" + bucket + "/" + key,
                progress,
                () -> s3.abortMultipartUpload(r -> r.bucket(bucket).key(key).uploadId(upload)));
        FileChannel disk = FileChannel.open(file, StandardOpenOption.READ);
        Progress.Task task = progress.start("uploading", disk.size())) {
      List<CompletedPart> parts = sendParts(disk, upload, what, task);
      AwsFaults.call(
          what,
          () ->
              s3.completeMultipartUpload(
                  r ->
                      r.bucket(bucket)
                          .key(key)
                          .uploadId(upload)
                          .multipartUpload(m -> m.parts(parts))));
      begun.keep();
    }
  }

  private List<CompletedPart> sendParts(
      FileChannel disk, String upload, String what, Progress.Task task) throws IOException {
    long size = disk.size();
    long length = partSize(size);
    List<Future<CompletedPart>> sent = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      try {
        for (long at = 0; at < size; at += length) {
          int number = sent.size() + 1;
          long start = at;
          room.acquire();
          failed(sent);
          sent.add(
              threads.submit(
                  () -> {
                    try {
                      byte[] bytes = read(disk, start, (int) Math.min(length, size - start));
                      CompletedPart part = put(bytes, number, upload, what);
                      task.advance(bytes.length);
                      return part;
                    } finally {
                      room.release();
                    }
                  }));
        }
        List<CompletedPart> parts = new ArrayList<>();
        for (Future<CompletedPart> each : sent) {
          parts.add(each.get());
        }
        return parts;
      } catch (InterruptedException e) {
        threads.shutdownNow();
        Thread.currentThread().interrupt();
        throw new Problem(Problem.Kind.ENVIRONMENT, what + " was interrupted", e);
      } catch (ExecutionException e) {
        threads.shutdownNow();
        switch (e.getCause()) {
          case IOException io -> throw io;
          case RuntimeException r -> throw r;
          case null, default -> throw new IllegalStateException(e);
        }
      }
    }
  }

  /** Throws what has gone wrong meanwhile: nobody sends the rest then. */
  private static void failed(List<Future<CompletedPart>> sent)
      throws ExecutionException, InterruptedException {
    for (Future<CompletedPart> each : sent) {
      if (each.state() == Future.State.FAILED) {
        each.get();
      }
    }
  }

  private CompletedPart put(byte[] bytes, int number, String upload, String what) {
    String tag =
        AwsFaults.call(
            what,
            () ->
                s3.uploadPart(
                        r ->
                            r.bucket(bucket)
                                .key(key)
                                .uploadId(upload)
                                .partNumber(number)
                                .contentLength((long) bytes.length),
                        RequestBody.fromContentProvider(
                            () -> new ByteArrayInputStream(bytes),
                            bytes.length,
                            "application/octet-stream"))
                    .eTag());
    return CompletedPart.builder().partNumber(number).eTag(tag).build();
  }

  private static byte[] read(FileChannel disk, long at, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      if (disk.read(bytes, at + bytes.position()) < 0) {
        throw new EOFException("the disk became shorter while it was uploaded");
      }
    }
    return bytes.array();
  }
}
