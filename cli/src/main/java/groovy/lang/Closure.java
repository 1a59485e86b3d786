package groovy.lang;

/**
 * Not Groovy's. picocli asks for a class of this name whenever it starts, to tell whether a factory
 * makes one; where there is none, the class loader opens every jar of the class path to look for
 * it, which costs more than most commands do. Nothing extends this one.
 */
@SuppressWarnings("unused")
abstract class Closure {
  private Closure() {}
}
