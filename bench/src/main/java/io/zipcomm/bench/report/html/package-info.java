/**
 * A run as one HTML page that needs nothing else: what to say in Java, how it looks in the templates among the resources.
 *
 * <p>{@link io.zipcomm.bench.report.html.HtmlReport} is the way in. Nothing here measures or judges: it sorts, compares and
 * explains rows.
 */
package io.zipcomm.bench.report.html;
