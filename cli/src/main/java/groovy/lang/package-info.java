/** Holds a name that picocli looks for. */
@org.jspecify.annotations.NullMarked
package groovy.lang;
