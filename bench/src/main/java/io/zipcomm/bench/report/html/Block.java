package io.zipcomm.bench.report.html;

import java.util.List;

/**
 * Plots that belong together, and the table that says the same in numbers.
 *
 * @param id     of its element
 * @param title  what its plots have in common
 * @param legend of its plots; empty where the section has one for all blocks
 * @param plots  in their order
 * @param table  the same in numbers
 */
record Block(String id, String title, List<Series> legend, List<Plot> plots, Table table) {}
