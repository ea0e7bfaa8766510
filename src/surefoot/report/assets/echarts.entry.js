// What `charts.js` draws with; everything else of Apache ECharts is left out.
import { init, use, version } from "echarts/core";
import { BarChart, CustomChart, LineChart, ParallelChart, ScatterChart } from "echarts/charts";
import {
  DataZoomInsideComponent,
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  ParallelComponent,
  TooltipComponent,
} from "echarts/components";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

use([
  BarChart, CustomChart, LineChart, ParallelChart, ScatterChart,
  DataZoomInsideComponent, GridComponent, MarkAreaComponent, MarkLineComponent,
  ParallelComponent, TooltipComponent,
  CanvasRenderer, SVGRenderer,
]);

export { init, version };
