package slipway.netboot;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.Optional;
import slipway.http.Handler;
import slipway.http.HttpProblem;
import slipway.http.RangeContent;
import slipway.http.Request;
import slipway.http.Response;

/** Serves the folder by HTTP. */
record FileHandler(ServedFolder folder) implements Handler {
  @Override
  public void handle(Request request, Response response) throws IOException {
    String path = request.parameter("path");
    Optional<ServedFolder.Served> found = folder.open(path);
    if (found.isEmpty()) {
      throw new HttpProblem(404, "no such file");
    }
    try (ServedFolder.Served file = found.get()) {
      response.header("ETag", file.tag());
      new Content(file.channel(), file.size()).send(request, response, type(path), file.tag());
    }
  }

  private static String type(String path) {
    String name = path.substring(path.lastIndexOf('/') + 1);
    return switch (name.substring(name.lastIndexOf('.') + 1)) {
      case "efi" -> "application/efi";
      case "cfg", "ipxe", "ks", "README" -> "text/plain;charset=utf-8";
      default -> "application/octet-stream";
    };
  }

  private record Content(FileChannel channel, long size) implements RangeContent {
    @Override
    public void write(Response response, long offset, long length) throws IOException {
      response.write(channel, offset, length);
    }
  }
}
