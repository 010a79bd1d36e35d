import { findSeries, type SectionResult } from "./measure.ts";
import { medianOf } from "./quartiles.ts";

/** What the executable shall be. */
export interface Goal {
  readonly what: string;
  readonly bound: string;
  /** Undefined where it was not measured. */
  readonly figure: number | undefined;
  readonly isMet: boolean | undefined;
}

interface Rule {
  readonly what: string;
  readonly section: string;
  readonly measure: string;
  readonly quantity: string;
  readonly against: string;
  readonly most?: number;
  readonly least?: number;
}

const STATUS = ["status, nothing stored", "status, API key", "status, ChatGPT"];
const start = { section: "start", quantity: "wall" };

const RULES: readonly Rule[] = [
  ...STATUS.flatMap((measure): Rule[] => [
    { ...start, what: `${measure}: time`, measure, against: "reference", most: 0.75 },
    { ...start, what: `${measure}: time`, measure, against: "floor", most: 1.5 },
    {
      ...{ what: `${measure}: peak memory`, section: "start", measure, quantity: "peak" },
      ...{ against: "reference", most: 0.75 },
    },
  ]),
  { ...start, what: "--version: time", measure: "--version", against: "floor", most: 1.2 },
  {
    ...{ what: "login: start to port", section: "login", measure: "login, to its port" },
    ...{ quantity: "wall", against: "reference", most: 0.9 },
  },
  {
    ...{ what: "callback to redirect", section: "callback", measure: "callback to redirect" },
    ...{ quantity: "wall", against: "reference", most: 1 },
  },
  {
    ...{ what: "memory while waiting", section: "callback", measure: "callback to redirect" },
    ...{ quantity: "resident", against: "reference", most: 0.85 },
  },
  {
    ...{
      what: "10,000 account/read: time",
      section: "app-server",
      measure: "account/read, ChatGPT",
    },
    ...{ quantity: "time for 10,000", against: "reference", most: 0.05 },
  },
  {
    ...{
      what: "flood of unknown paths: answered",
      section: "flood",
      measure: "flood, unknown path",
    },
    ...{ quantity: "answered", against: "reference", least: 1 },
  },
  {
    ...{ what: "download", section: "size", measure: "download", quantity: "size" },
    ...{ against: "reference", most: 0.45 },
  },
  {
    ...{ what: "unpacked", section: "size", measure: "program", quantity: "size" },
    ...{ against: "reference", most: 0.4 },
  },
];

/** Ratios of the medians of one run. */
export function judgeGoals(sections: readonly SectionResult[]): Goal[] {
  return [...RULES.map((rule) => judge(rule, sections)), ...judgeMany(sections)];
}

function judge(rule: Rule, sections: readonly SectionResult[]): Goal {
  const { section, measure, quantity, against, most, least } = rule;
  const median = (subject: string): number | undefined =>
    medianOf(findSeries(sections, section, measure, quantity, subject));
  const [own, other] = [median("executable"), median(against)];
  const figure = own === undefined || !other ? undefined : own / other;
  const sign = most === undefined ? "≥" : "≤";
  return {
    what: rule.what,
    bound: `${sign} ${most ?? least} × ${against}`,
    figure,
    isMet: figure === undefined ? undefined : figure <= (most ?? figure) && figure >= (least ?? 0),
  };
}

/** Many processes that all need a renewed token. */
function judgeMany(sections: readonly SectionResult[]): Goal[] {
  const of = (measure: string, quantity: string): number | undefined =>
    medianOf(findSeries(sections, "many", measure, quantity, "executable"));
  const requests = of("token, 20 processes", "refreshes");
  const [one, twenty] = [of("token, 1 process", "wall"), of("token, 20 processes", "wall")];
  const figure = one === undefined || twenty === undefined ? undefined : twenty / one;
  return [
    {
      what: "20 processes refreshing: requests",
      bound: "= 1",
      figure: requests,
      isMet: requests === undefined ? undefined : requests === 1,
    },
    {
      what: "20 processes refreshing: time",
      bound: "≤ 2 × one process",
      figure,
      isMet: figure === undefined ? undefined : figure <= 2,
    },
  ];
}
