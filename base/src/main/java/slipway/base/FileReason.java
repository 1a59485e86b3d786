package slipway.base;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;

/** Why something with a file failed, in words: the messages of these exceptions are often paths. */
public final class FileReason {
  private FileReason() {}

  /**
   * Such as {@code permission denied: /srv/x}; never the name of a class where it has a message.
   */
  public static String of(IOException e) {
    return switch (e) {
      case NoSuchFileException f -> f.getFile() + " does not exist";
      case AccessDeniedException f -> "permission denied: " + f.getFile();
      case FileAlreadyExistsException f -> f.getFile() + " exists already";
      case NotLinkException f -> f.getFile() + " is no link";
      case NotDirectoryException f -> f.getFile() + " is not a folder";
      case DirectoryNotEmptyException f -> f.getFile() + " is not empty";
      case FileSystemLoopException f -> f.getFile() + " leads back to itself";
      default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    };
  }

  /** The same, and of a full disk what to do. */
  public static String advised(IOException e) {
    return FullDisk.isCauseOf(e) ? FullDisk.sentence(e) : of(e);
  }

  /** The same of whatever kept something from being done. */
  public static String why(Exception e) {
    return e instanceof IOException io
        ? advised(io)
        : e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  /** The same of making or using a folder, where what exists already is something else. */
  public static String ofFolder(IOException e) {
    return e instanceof FileAlreadyExistsException f
        ? f.getFile() + " is not a folder"
        : e instanceof FileSystemException f && "Not a directory".equals(f.getReason())
            ? f.getFile() + " lies below what is not a folder"
            : of(e);
  }
}
