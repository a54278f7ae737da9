package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchCase;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.report.FloorSpeed;
import io.zipcomm.bench.report.Row;
import java.util.ArrayList;
import java.util.List;

/** Keeps what a run tells. */
class RecordingListener implements BenchListener {

    final List<Row> rows = new ArrayList<>();
    final List<CostModel> models = new ArrayList<>();
    final List<FloorSpeed> floors = new ArrayList<>();
    final List<String> absent = new ArrayList<>();
    final List<String> problems = new ArrayList<>();

    @Override
    public void group(String transport, int ranks, CostModel model) {
        models.add(model);
    }

    @Override
    public void measuring(BenchCase what, int number, int total) {}

    @Override
    public void row(Row row) {
        rows.add(row);
    }

    @Override
    public void floor(FloorSpeed speed) {
        floors.add(speed);
    }

    @Override
    public void absent(String text) {
        absent.add(text);
    }

    @Override
    public void version(String name, String version) {}

    @Override
    public void noise(String text) {}

    @Override
    public void problem(String text) {
        problems.add(text);
    }
}
