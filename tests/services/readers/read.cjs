// Prints the sheets (or the one table) of a file as JSON, as SheetJS or Papa Parse read it: {name: rows}.
const fs = require("fs");
const [path] = process.argv.slice(2);
const data = fs.readFileSync(path);

function sheets() {
  const XLSX = require("xlsx");
  const book = XLSX.read(data, { cellFormula: true });
  const found = {};
  for (const name of book.SheetNames) {
    const sheet = book.Sheets[name];
    const cells = Object.entries(sheet).filter(([place]) => !place.startsWith("!"));
    if (cells.some(([, cell]) => cell.f !== undefined)) throw new Error(`${name} holds a formula`);
    found[name] = XLSX.utils.sheet_to_json(sheet, { header: 1, raw: true, defval: null, blankrows: true });
  }
  return found;
}

function table(delimiter) {
  const Papa = require("papaparse");
  const { data: rows, errors } = Papa.parse(data.toString("utf8"), { delimiter, newline: "\r\n" });
  if (errors.length) throw new Error(JSON.stringify(errors));
  return { table: rows.slice(0, -1) };
}

const readers = { xlsx: sheets, csv: () => table(","), tsv: () => table("\t") };
process.stdout.write(JSON.stringify(readers[path.split(".").pop()]()));
