//! Lists, page by page, up to the limit that was asked for.

use api::v1;

use super::failure::Failure;
use super::json::{self, Named};
use super::output::{self, Format, Output, Screen};

/// Most items of one page, as the services bound it.
const MAX_PAGE: u32 = 1_000;

/// How much of a list is shown.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Limit {
    /// Show at most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// A page of a list.
pub(crate) trait Page: Named {
    /// What is listed.
    type Item: Named;
    /// What is listed on this page.
    fn items(&self) -> &Vec<Self::Item>;
    /// Adds the page after this one.
    fn append(&mut self, next: Self);
    /// What the page after this one is asked for with; empty at the end.
    fn token(&self) -> &str;
}

macro_rules! pages {
    ($($page:ident $item:ident $field:ident)+) => {$(
        impl Page for v1::$page {
            type Item = v1::$item;

            fn items(&self) -> &Vec<Self::Item> {
                &self.$field
            }

            fn append(&mut self, next: Self) {
                let items = std::mem::take(&mut self.$field);
                *self = next;
                self.$field.splice(0..0, items);
            }

            fn token(&self) -> &str {
                &self.next_page_token
            }
        }
    )+};
}

pages! {
    ListAtRiskResponse Risk risks
    ListMembersResponse Member members
    RankUnitsResponse RankedUnit units
    ListOpenComplaintsResponse Complaint complaints
    ListParkedResponse ParkedEvent events
    ListRebuildsResponse PastRebuild rebuilds
    ListRulesResponse RulesActivation activations
}

impl Limit {
    /// The pages as one, the last page's remarks kept. `fetch` takes the size of a page and its token.
    pub(crate) async fn collect<P: Page>(
        &self,
        mut fetch: impl AsyncFnMut(i32, String) -> Result<P, Failure>,
    ) -> Result<P, Failure> {
        let mut all = fetch(self.page(0), String::new()).await?;
        while !all.token().is_empty() && all.items().len() < self.limit as usize {
            let next = fetch(self.page(all.items().len()), all.token().to_owned()).await?;
            all.append(next);
        }
        Ok(all)
    }

    /// The size of the next page where so many items are there.
    fn page(&self, have: usize) -> i32 {
        let left = self.limit.saturating_sub(u32::try_from(have).unwrap_or(u32::MAX));
        i32::try_from(left.min(MAX_PAGE)).unwrap_or(i32::MAX)
    }
}

impl Output {
    /// Prints a list: a table, the message, or an item a line. That it goes on is said whatever the form: of a file that
    /// was cut off at the limit nobody sees it.
    pub(crate) fn list<P: Page>(&self, list: &P, table: impl FnOnce(Screen) -> String) -> Result<(), Failure> {
        match self.output {
            Format::Ndjson => {
                list.items().iter().try_for_each(|item| output::print(&format!("{}\n", json::value(item)?)))?;
            }
            Format::Table | Format::Json => self.show(list, table)?,
        }
        if !list.token().is_empty() {
            output::note(&format!("there are more than these {}: --limit shows more", list.items().len()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five members, in pages as asked for.
    async fn fetch(size: i32, token: String) -> Result<v1::ListMembersResponse, Failure> {
        let from: i32 = token.parse().unwrap_or(0);
        let until = 5.min(from + size);
        let member = |number: i32| v1::Member { customer_id: number.to_string(), ..Default::default() };
        let next_page_token = if until < 5 { until.to_string() } else { String::new() };
        Ok(v1::ListMembersResponse { members: (from..until).map(member).collect(), next_page_token, meta: None })
    }

    async fn ids(limit: u32, page: i32) -> (Vec<String>, String) {
        let limit = Limit { limit };
        let all = limit.collect(async |size: i32, token| fetch(size.min(page), token).await).await.unwrap();
        (all.members.iter().map(|member| member.customer_id.clone()).collect(), all.next_page_token)
    }

    #[tokio::test]
    async fn pages_become_one_list_up_to_the_limit() {
        assert_eq!(ids(50, 2).await, (["0", "1", "2", "3", "4"].map(str::to_owned).to_vec(), String::new()));
        assert_eq!(ids(3, 2).await, (["0", "1", "2"].map(str::to_owned).to_vec(), "3".to_owned()));
        assert_eq!(ids(2, 9).await, (["0", "1"].map(str::to_owned).to_vec(), "2".to_owned()));
    }
}
