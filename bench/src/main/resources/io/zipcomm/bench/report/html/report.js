/* Draws the plots and lets the table of all rows be sorted. Everything that it says stands in the page's tables too. */
'use strict';
(function () {
  const SIZES = ['B', 'KiB', 'MiB', 'GiB'];
  const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
  const PRINT_WIDTH = 330; // pixels: what a plot is drawn for before paper shrinks it to its column
  const HEIGHT_PER_WIDTH = 0.72;
  const LABEL_WIDTH = 50;
  const Y_AXIS_WIDTH = 70;
  const MARGIN = 0.04; // of the span, left and right of the points
  const ETA_SHOWN = 1.6; // up to here the axis of efficiencies has the same steps everywhere
  const INK = '#1b1f24';
  const SOFT = '#57606a';

  function complain(error) {
    const box = document.getElementById('script-error');
    box.textContent = 'A plot could not be drawn: ' + (error && error.message ? error.message : error);
    box.hidden = false;
  }
  window.addEventListener('error', event => complain(event.error || event.message));

  const digits = value => String(Number(value.toPrecision(3)));

  function scaled(value, step, units) {
    let unit = 0;
    while (unit < units.length - 1 && value >= step * 0.9995) {
      value /= step;
      unit++;
    }
    return digits(value) + ' ' + units[unit];
  }

  const FORMATS = {
    time: us => (us < 0.9995 ? scaled(us * 1000, 1000, ['ns', 'µs']) : scaled(us, 1000, ['µs', 'ms', 's'])),
    bandwidth: gb => scaled(gb * 1e6, 1000, ['kB/s', 'MB/s', 'GB/s', 'TB/s']),
    efficiency: digits,
    memory: bytes => scaled(bytes, 1024, SIZES),
    size: bytes => scaled(bytes, 1024, SIZES),
    ranks: ranks => String(Math.round(ranks)),
  };
  FORMATS.predicted = FORMATS.time;

  const known = (lines, axis) => lines.flatMap(line => line.points).filter(point => point[1] !== null).map(point => point[axis]);

  /* Sizes and ranks stand at their logarithm to base 2, with a tick at each that was measured and as many labels as fit. */
  function xAxis(plot, width) {
    const ticks = [...new Set(known(plot.lines, 0).map(Math.log2))].sort((a, b) => a - b);
    const low = ticks[0];
    const high = ticks[ticks.length - 1];
    const margin = (high - low) * MARGIN || 1;
    const gap = (LABEL_WIDTH / Math.max(width - Y_AXIS_WIDTH, LABEL_WIDTH)) * (high - low + 2 * margin);
    const labels = [];
    ticks.forEach(tick => {
      if (labels.length === 0 || tick - labels[labels.length - 1] >= gap) {
        labels.push(tick);
      }
    });
    return {
      type: 'value',
      name: plot.xTitle,
      nameLocation: 'middle',
      nameGap: 24,
      min: low - margin,
      max: high + margin,
      axisTick: {customValues: ticks},
      axisLabel: {customValues: labels, formatter: exponent => FORMATS[plot.x](Math.pow(2, exponent)), color: INK, fontSize: 11},
      splitLine: {show: false},
      axisLine: {onZero: false, lineStyle: {color: SOFT}},
      nameTextStyle: {color: SOFT, fontSize: 11},
    };
  }

  function yAxis(plot) {
    const format = FORMATS[plot.y];
    const axis = {
      axisLabel: {formatter: value => format(value), color: INK, fontSize: 11},
      splitLine: {lineStyle: {color: '#d4d9df'}},
      axisLine: {show: true, onZero: false, lineStyle: {color: SOFT}},
    };
    const values = known(plot.lines, 1);
    if (plot.y === 'efficiency') {
      const high = Math.max(...values);
      const scale = high <= ETA_SHOWN ? {max: Math.max(1, Math.ceil(high * 5) / 5), interval: 0.2} : {};
      return Object.assign(axis, {type: 'value', min: 0}, scale);
    }
    return Object.assign(axis, {
      type: 'log',
      min: Math.pow(10, Math.floor(Math.log10(Math.min(...values)) + 1e-9)),
      max: Math.pow(10, Math.ceil(Math.log10(Math.max(...values)) - 1e-9)),
      minorTick: {show: true, splitNumber: 9},
      minorSplitLine: {show: false},
    });
  }

  function series(line) {
    const dash = line.dash === '' ? 'solid' : line.dash.split(' ').map(Number);
    return {
      type: 'line',
      name: line.name,
      data: line.points.map(point => [Math.log2(point[0]), point[1]]),
      symbol: 'path://' + line.marker,
      symbolSize: 7,
      showAllSymbol: true,
      lineStyle: {color: line.color, width: 1.8, type: dash},
      itemStyle: {color: line.fill, borderColor: line.color, borderWidth: 1.3},
      emphasis: {disabled: true},
    };
  }

  /* Text nodes, never markup: names come from the run. */
  function tip(plot, points) {
    const box = document.createElement('div');
    const head = document.createElement('b');
    head.textContent = FORMATS[plot.x](Math.pow(2, points[0].value[0])) + (plot.x === 'ranks' ? ' ranks' : '');
    box.append(head);
    points
      .filter(point => point.value[1] !== null && point.value[1] !== undefined)
      .sort((a, b) => a.value[1] - b.value[1])
      .forEach(point => {
        const line = document.createElement('div');
        line.textContent = point.seriesName + ': ' + FORMATS[plot.y](point.value[1]);
        box.append(line);
      });
    return box;
  }

  const charts = [];

  function draw(plot) {
    const element = document.getElementById(plot.id);
    const chart = echarts.init(element, null, {renderer: 'svg'});
    chart.setOption({
      animation: false,
      textStyle: {fontFamily: FONT},
      grid: {left: 4, right: 14, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'all'},
      tooltip: {trigger: 'axis', confine: true, formatter: points => tip(plot, points), textStyle: {fontSize: 12}},
      xAxis: xAxis(plot, element.clientWidth),
      yAxis: yAxis(plot),
      series: plot.lines.map(series),
    });
    const entry = {chart, element, plot};
    charts.push(entry);
    fit(entry);
  }

  /* With a view box the picture can be scaled by whoever prints it. Flushed: paper does not wait for the next frame. */
  function fit(entry, width) {
    const chart = entry.chart;
    chart.resize(width ? {width, height: Math.round(width * HEIGHT_PER_WIDTH)} : {width: 'auto', height: 'auto'});
    chart.setOption({xAxis: xAxis(entry.plot, chart.getWidth())});
    chart.getZr().flush();
    const svg = entry.element.querySelector('svg');
    svg.setAttribute('viewBox', '0 0 ' + chart.getWidth() + ' ' + chart.getHeight());
  }

  JSON.parse(document.getElementById('plots').textContent).forEach(plot => {
    try {
      draw(plot);
    } catch (error) {
      complain(error);
    }
  });

  let printing = false;
  window.addEventListener('beforeprint', () => {
    printing = true;
    charts.forEach(entry => fit(entry, PRINT_WIDTH));
  });
  window.addEventListener('afterprint', () => {
    printing = false;
    charts.forEach(entry => fit(entry));
  });
  let width = window.innerWidth;
  window.addEventListener('resize', () => {
    if (!printing && window.innerWidth !== width) {
      width = window.innerWidth;
      charts.forEach(entry => fit(entry));
    }
  });

  /* Sorting. */
  const UNITS = {
    B: 1, KiB: 1024, MiB: 1048576, GiB: 1073741824,
    'µs': 1, ms: 1e3, s: 1e6,
    'kB/s': 1, 'MB/s': 1e3, 'GB/s': 1e6,
    k: 1e3, M: 1e6, G: 1e9, '%': 1, '': 1,
  };

  /* A number with its unit as a number; anything else as NaN, which sorts last. */
  function amount(text) {
    const match = /^([\d.]+)\s*(\S*)$/.exec(text);
    return match && match[2] in UNITS ? Number(match[1]) * UNITS[match[2]] : NaN;
  }

  function compare(a, b, direction) {
    const x = amount(a);
    const y = amount(b);
    if (Number.isNaN(x) && Number.isNaN(y)) {
      return direction * a.localeCompare(b);
    }
    if (Number.isNaN(x) || Number.isNaN(y)) {
      return Number.isNaN(x) ? 1 : -1;
    }
    return direction * (x - y);
  }

  const table = document.querySelector('table.rows');
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const direction = head.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      heads.forEach(other => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
      const rows = [...body.rows].map(row => ({row, text: row.cells[column].textContent}));
      rows.sort((a, b) => compare(a.text, b.text, direction));
      body.append(...rows.map(entry => entry.row));
    });
  });
  document.getElementById('sorting').hidden = false;
})();
