/**
 * JMH benchmarks of single classes on the data path: for finding out why, not for claims. Those of classes that no other
 * module sees are among the tests, in the packages of these classes. All of them, or those whose names match:
 *
 * <pre>
 * mvn -q package -pl bench -am -DskipTests
 * java --add-opens=java.base/jdk.internal.misc=ALL-UNNAMED -cp 'bench/target/test-classes:bench/target/dist/lib/*' \
 *     org.openjdk.jmh.Main -prof gc [Reduction.reduce -p type=FLOAT32 -p memory=DIRECT]
 * </pre>
 *
 * <p>That none allocates is a test: {@code AllocationTest}.
 */
package io.zipcomm.bench.micro;
