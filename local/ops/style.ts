/** Light, dense and calm: colour is left to what needs attention. */
export const STYLE = `
:root{--ink:#1c2733;--soft:#5b6b7b;--line:#dfe5ec;--paper:#f4f6f9;--well:#1a8754;--warning:#c96a00;--critical:#c62f2f}
*{box-sizing:border-box;margin:0}
body{background:var(--paper);color:var(--ink);font:13px/1.4 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1720px;margin:0 auto;padding:14px 18px 40px}
header{display:flex;align-items:baseline;gap:14px;margin-bottom:10px}
h1{font-size:19px;letter-spacing:-.01em}
header span{color:var(--soft)}
.banner{border-radius:8px;padding:12px 16px;margin-bottom:12px;background:#fff;border:1px solid var(--line);border-left:6px solid var(--well)}
.banner strong{font-size:18px;color:var(--well);margin-right:14px}
.banner span{color:var(--soft)}
.banner.warning{border-left-color:var(--warning)}.banner.warning strong{color:var(--warning)}
.banner.critical{border-left-color:var(--critical);background:#fff6f5}.banner.critical strong{color:var(--critical)}
.banner ul{list-style:none;padding:8px 0 0;max-height:190px;overflow:auto}
.banner li{padding:2px 0;color:var(--soft)}
.banner li b{color:var(--warning)}.banner li.critical b{color:var(--critical)}
.row{display:grid;grid-template-columns:repeat(24,minmax(0,1fr));gap:10px;margin-bottom:10px}
.station{display:flex;align-items:baseline;gap:12px;padding:8px 2px 0;border-top:1px solid var(--line)}
.station h2{font-size:15px}.station p{color:var(--soft)}
.card{background:#fff;border:1px solid var(--line);border-top:3px solid var(--line);border-radius:7px;padding:9px 11px;height:100%}
.card.well{border-top-color:var(--well)}.card.warning{border-top-color:var(--warning)}.card.critical{border-top-color:var(--critical);background:#fff8f7}
h3{font-size:12.5px;font-weight:600}
.now{display:flex;align-items:baseline;justify-content:space-between;gap:8px;min-height:34px}
.now b{white-space:nowrap}
.now b{font-size:19px;font-weight:650;letter-spacing:-.01em}
.warning .now b{color:var(--warning)}.critical .now b{color:var(--critical)}
.promise{color:var(--soft);font-size:12px;text-align:right}
.promise small{display:block;font-size:10px;line-height:1.2;opacity:.85}
svg{display:block;width:100%;height:84px;overflow:visible;border-bottom:1px solid var(--line)}
polyline{fill:none;stroke-width:1.6;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.limit{stroke-width:1;stroke-dasharray:4 3;vector-effect:non-scaling-stroke;opacity:.8}
.legend{list-style:none;padding:6px 0 0;display:flex;flex-wrap:wrap;gap:1px 10px;font-size:11.5px;color:var(--soft)}
.legend i{display:inline-block;width:8px;height:8px;border-radius:2px;margin-right:4px}
.legend b{color:var(--ink);font-weight:600}
.aws{color:var(--soft);font-size:12px;padding-top:14px;min-height:84px}
.tiles{list-style:none;padding:8px 0 2px;display:flex;flex-wrap:wrap;gap:5px}
.tiles li{padding:3px 9px;border-radius:11px;font-size:11.5px;background:#e5f3ec;color:#11603b}
.tiles li.none{background:#eef1f5;color:#6b7a8a}
.tiles li.warning{background:#fdebd3;color:#8a4a00}
.tiles li.critical{background:var(--critical);color:#fff}
.tiles.verdict li{font-size:14px;padding:9px 14px;border-radius:7px;flex:1 1 40%;font-weight:600}
@media(max-width:1100px){.row{grid-template-columns:repeat(12,minmax(0,1fr))}.row>div{grid-column:span 4!important}.row>div:has(.tiles),.row>div:has(.station){grid-column:1/-1!important}}
`
