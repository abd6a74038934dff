//! The examples S1 to S7 of the domain.

use crate::story::*;
use oracle::{Opinion, Place, Population, Unit, population, satisfaction};
use serde_json::json;

const NOW: &str = "2025-06-01T09:00:00Z";

fn evaluate(stories: &[Story]) -> Population {
    population(&crowd(stories), time(NOW), None, &[])
}

fn place(unit: Unit, wave: &str, port: &str) -> Place {
    Place { unit, wave: wave.to_owned(), port: port.to_owned() }
}

#[test]
fn s1_port_rate() {
    let mut stories = Vec::new();
    for (index, score) in [5, 5, 5, 4, 4, 4, 4, 3, 1].into_iter().enumerate() {
        let mut story = Story::of(index as u128 + 1);
        story.add("2025-05-01T09:00:00Z", "SurveyAnswered", answer("2025", "HANDOVER", "KEYS", "CSAT", score));
        stories.push(story);
    }
    let mut story = Story::of(100);
    let data = json!({ "survey_id": "S", "wave_id": "2025", "port": "HANDOVER", "item_code": "KEYS", "metric": "CSAT",
        "not_applicable": true });
    story.add("2025-05-01T09:00:00Z", "SurveyAnswered", data);
    stories.push(story);
    let score = evaluate(&stories).surveys.scores[&place(Unit::Group, "2025", "HANDOVER")];
    assert_eq!((score.n, score.rate_bp(), score.top_bp(), score.mean_index()), (9, Some(7778), Some(3333), Some(7222)));
}

#[test]
fn s2_the_latest_answer_by_order_counts() {
    let mut story = Story::of(1);
    let headline = |score| answer("2025", "REPAIR_SERVICE", "REPAIR_SERVICE_OVERALL", "CSAT", score);
    story.add("2025-03-01T09:00:00Z", "SurveyAnswered", headline(2));
    story.add("2025-03-10T09:00:00Z", "SurveyAnswered", headline(4));
    let (at, recorded_at) = ("2025-03-05T09:00:00Z", "2025-04-01T09:00:00Z");
    story.push(&Line { kind: "SurveyAnswered", at, recorded_at, id: 77, more: json!({}), data: headline(1) });
    let values = satisfaction(&story.read(), time(NOW), None).unwrap().port_values;
    assert_eq!(values.iter().map(|value| value.value).collect::<Vec<_>>(), [4]);
}

/// Customers who answered the headline of a project: so many with 4, the rest with 3.
fn project(stories: &mut Vec<Story>, id: &str, wave: &str, yes: i64, n: i64) {
    for index in 0..n {
        let mut story = Story::of(stories.len() as u128 + 1);
        let score = if index < yes { 4 } else { 3 };
        let data = answer(wave, "OVERALL", "OVERALL_OVERALL", "CSAT", score);
        story.add_in("2025-05-01T09:00:00Z", "SurveyAnswered", json!({ "projectid": id }), data);
        stories.push(story);
    }
}

#[test]
fn s3_ranks() {
    let mut stories = Vec::new();
    for (id, yes, n) in [("A", 94, 100), ("B", 188, 200), ("C", 45, 50), ("D", 20, 20), ("E", 80, 100)] {
        project(&mut stories, id, "2025", yes, n);
    }
    let surveys = evaluate(&stories).surveys;
    let ranked = surveys.rank_projects("2025", "OVERALL");
    let lines: Vec<(&str, Option<usize>)> = ranked.iter().map(|line| (line.id.as_str(), line.rank)).collect();
    // A and B tie, also in top box; B has more answers.
    assert_eq!(lines, [("B", Some(1)), ("A", Some(1)), ("C", Some(3)), ("E", Some(4)), ("D", None)]);
    let group = surveys.scores[&place(Unit::Group, "2025", "OVERALL")];
    assert_eq!((group.yes, group.n, group.rate_bp()), (427, 470, Some(9085)));
}

#[test]
fn s4_year_on_year() {
    let mut stories = Vec::new();
    project(&mut stories, "B", "2024", 130, 200);
    project(&mut stories, "B", "2025", 188, 200);
    let surveys = evaluate(&stories).surveys;
    let found = surveys.year_on_year(&Unit::Project("B".to_owned()), "2025", None, "OVERALL").unwrap();
    assert_eq!((found.delta, found.z, found.verdict), (2900, 718, "MARKED_UP"));
    assert_eq!(surveys.year_on_year(&Unit::Project("B".to_owned()), "2024", None, "OVERALL"), None);
}

fn s5() -> Story {
    let mut story = Story::of(1);
    let sales = answer("2024", "SALES_SERVICE", "SALES_SERVICE_OVERALL", "CSAT", 5);
    story.add("2024-06-01T09:00:00Z", "SurveyAnswered", sales);
    let quality = answer("2025", "CONSTRUCTION_QUALITY", "CONSTRUCTION_QUALITY_OVERALL", "CSAT", 4);
    story.add(NOW, "SurveyAnswered", quality);
    story
}

fn opinion(story: &Story) -> Opinion {
    satisfaction(&story.read(), time(NOW), None).unwrap().opinion.unwrap()
}

#[test]
fn s5_customer_index() {
    let found = opinion(&s5());
    assert_eq!((found.index, found.class), (Some(8333), "SATISFIED"));
}

#[test]
fn s6_inferred_from_a_complaint() {
    let mut story = s5();
    story.add(NOW, "ComplaintLodged", complaint("B", "REPAIR_SERVICE", "MEDIUM"));
    assert_eq!(opinion(&story).index, Some(7273));
    story.add(NOW, "ComplaintResolved", resolved("B"));
    assert_eq!(opinion(&story).index, Some(7727));
    let mut data = answer("2025", "REPAIR_SERVICE", "REPAIR_SERVICE_OVERALL", "CSAT", 4);
    data["complaint_id"] = json!("B");
    story.add(NOW, "SurveyAnswered", data);
    assert_eq!(opinion(&story).index, Some(8077));
}

#[test]
fn s7_service_level() {
    const HOUR: i64 = 3_600_000_000;
    let mut story = Story::of(1);
    story.add("2025-05-01T09:00:00Z", "ComplaintLodged", complaint("B", "REPAIR_SERVICE", "MEDIUM"));
    story.add("2025-05-01T09:50:00Z", "ComplaintAcknowledged", step("B"));
    story.add("2025-05-06T09:00:00Z", "ComplaintResolved", resolved("B"));
    story.add("2025-05-08T09:00:00Z", "ComplaintReopened", reopened("B"));
    story.add("2025-05-11T09:00:00Z", "ComplaintResolved", resolved("B"));
    let found = satisfaction(&story.read(), time(NOW), None).unwrap().complaints.remove(0);
    assert_eq!((found.acknowledged_after, found.acknowledge_outcome), (Some(50 * HOUR / 60), "MET"));
    assert_eq!((found.first_resolved_after, found.first_outcome), (Some(120 * HOUR), "MET"));
    assert_eq!((found.total_open, found.total_outcome), (192 * HOUR, "BREACHED"));
    assert_eq!((found.reopenings.len(), found.ignored_steps), (1, 0));
}
