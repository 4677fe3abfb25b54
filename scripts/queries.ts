/** Queries of docs/operations.md, by the names of the data point's columns. */
import { table } from "../bench/report.ts";
import { BLOBS, DOUBLES } from "../src/http/data-point.ts";

const COLUMNS: readonly { readonly column: string; readonly name: string; readonly meaning: string }[] = [
  ...BLOBS.map(({ name, meaning }, i) => ({ column: `blob${i + 1}`, name, meaning })),
  ...DOUBLES.map(({ name, meaning }, i) => ({ column: `double${i + 1}`, name, meaning })),
];

export function dataPointTable(): string {
  return table(
    ["column", "name", "meaning"],
    [
      ["`index1`", "route", "`thumbnail`, `classify` or `batch`."],
      ...COLUMNS.map(({ column, name, meaning }) => [`\`${column}\``, name, meaning]),
    ],
  );
}

export function hitsQuery(): string {
  return sql(`
SELECT toStartOfInterval(timestamp, INTERVAL '1' HOUR) AS hour, {tier} AS tier, SUM(_sample_interval) AS requests,
  SUM({bytes_in} * _sample_interval) AS bytes_in, SUM({bytes_out} * _sample_interval) AS bytes_out
FROM thumbnet_edge
WHERE index1 = 'thumbnail' AND {status} = 200 AND timestamp > NOW() - INTERVAL '7' DAY
GROUP BY hour, tier ORDER BY hour`);
}

export function problemsQuery(): string {
  return sql(`
SELECT index1 AS route, {problem} AS problem, SUM(_sample_interval) AS requests,
  quantileExactWeighted(0.95)({origin_ms}, _sample_interval) AS origin_ms_p95
FROM thumbnet_edge
WHERE timestamp > NOW() - INTERVAL '1' DAY
GROUP BY route, problem ORDER BY requests DESC`);
}

function sql(text: string): string {
  const query = text.trim().replace(/\{(\w+)\}/g, (_, name) => {
    const found = COLUMNS.find((column) => column.name === name);
    if (!found) throw new Error(`The data point has no column "${name}".`);
    return found.column;
  });
  return `\`\`\`sql\n${query}\n\`\`\``;
}
