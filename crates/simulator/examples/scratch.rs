fn main() {
    let args: Vec<String> = std::env::args().collect();
    let n = |i: usize| args[i].parse::<u32>().unwrap();
    let base = &args[1];
    let url = |d: &str| format!("postgres:///{base}_{d}?host=/tmp/simpg&user=postgres");
    let t = std::time::Instant::now();
    let rt = tokio::runtime::Runtime::new().unwrap();
    let s = rt.block_on(kindred_simulator::simulate(
        &kindred_simulator::Population {
            users: n(2),
            days: n(3),
            seed: n(4).into(),
            until: "2026-11-20T20:15:00Z".parse().unwrap(),
        },
        &kindred_simulator::Targets {
            users: url("u"),
            interactions: url("i"),
            communications: url("c"),
            moderation: Some(url("m")),
        },
        &indicatif::MultiProgress::new(),
    ));
    match s {
        Ok(s) => {
            for t in &s.tables {
                println!("{:>20} {}", t.table, t.rows)
            }
            println!("{} rows {:?}", s.rows(), t.elapsed())
        }
        Err(e) => {
            use std::error::Error;
            println!("{e}: {:?}", e.source())
        }
    }
    let st = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", st.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
