"""The words by which shapes are recognised, in the languages that have voices: en de fr es it pt nl sv da no fi pl cs
uk ru tr el ar hi zh ja ko and some others. Data only.

Each list is of all languages at once, for scripts mix them; words are compared casefolded (`folded`).
"""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["speech", "visual", "text", "sound", "role", "title", "length", "tags", "caption", "fact"]

_SPEECH: Final = """
narrator|narration|narrators|narr|narr.|announcer|anncr|anncr.|annc|narrator voice|vo|v.o.|v.o|v/o|o.s.|voiceover|
voice-over|voice over|voice|audio|dialogue|dialog|
spoken|spoken word|spoken words|spoken text|say|says|speech|script|host|presenter|anchor|speaker|talent|on-camera|
on camera|
to camera|talking head|voiceover script|voiceover text|voice over script|audio script|narration script|
narrator script|
speaker notes|speaker note|what you say|what i say|line|lines|copy|vo script|audio/vo|
sprecher|sprecherin|sprecher/in|sprecher*in|sprecher:in|sprechertext|sprechtext|erzähler|erzählerin|off-text|
offtext|off|
off-sprecher|off-sprecherin|off-stimme|stimme aus dem off|stimme|voiceover-text|gesprochener text|gesprochen|
moderator|moderatorin|
moderation|kommentar|ansager|ansagerin|
voix off|voix-off|voix hors champ|voix|narrateur|narratrice|narration off|commentaire|texte parlé|présentateur|
présentatrice|
animateur|animatrice|texte lu|off (voix)|
voz en off|voz|narrador|narradora|narración|locutor|locutora|locución|texto hablado|presentador|presentadora|
guion hablado|
diálogo|locução|narração|voz off|voz-off|apresentador|apresentadora|fala|texto falado|locutor(a)|narrador(a)|
off (voz)|
voce fuori campo|voce|voce narrante|voce off|narratore|narratrice|narrazione|testo parlato|speaker (voce)|parlato|
conduttore|
conduttrice|commento|
verteller|vertelster|vertelstem|voice-overtekst|voice-over tekst|stem|gesproken tekst|presentator|presentatrice|
commentaarstem|
berättare|berättarröst|speakertext|speaker-text|röst|programledare|talad text|berättarrösten|
fortæller|fortællerstemme|speak|speaker-tekst|vært|forteller|fortellerstemme|stemme|programleder|
kertoja|kertojaääni|selostus|juontaja|spiikki|
lektor|lektorka|narratorka|głos z offu|głos zza kadru|głos|prowadzący|prowadząca|tekst lektora|komentarz|
vypravěč|vypravěčka|komentář|hlas|hlas mimo obraz|moderátor|moderátorka|mluvené slovo|rozprávač|
диктор|дикторский текст|диктор за кадром|голос за кадром|закадровый голос|закадровый текст|рассказчик|рассказчица|
ведущий|
ведущая|голос|озвучка|текст диктора|речь|диктор (голос)|закадр|зк|
оповідач|оповідачка|голос за кадром|закадровий голос|закадровий текст|ведучий|ведуча|озвучення|
anlatıcı|seslendirme|dış ses|dış-ses|dışses|üst ses|sunucu|ses|spiker|konuşma|metin (ses)|konuşma metni|
αφηγητής|αφηγήτρια|αφήγηση|φωνή|εκφωνητής|εκφωνήτρια|εκφώνηση|σπικάζ|παρουσιαστής|παρουσιάστρια|
الراوي|الراوية|راوي|التعليق الصوتي|تعليق صوتي|المعلق|الصوت|صوت|المقدم|المقدمة (صوت)|المذيع|المذيعة|النص المنطوق|السرد|
वाचक|वॉइसओवर|वॉयसओवर|वॉइस ओवर|वॉयस ओवर|कथावाचक|सूत्रधार|आवाज़|आवाज|नैरेटर|नैरेशन|उद्घोषक|एंकर|संवाद|
旁白|解说|解說|解说词|配音|口播|台词|台詞|对白|對白|画外音|畫外音|文案|口播文案|声音|旁白/配音|主播|主持人|讲解|
旁白文案|配音文案|口播词|
ナレーション|ナレ|ナレーター|語り|セリフ|せりふ|台詞|音声|話者|読み上げ|語り手|解説|司会|ナレーション原稿|
내레이션|나레이션|내레이터|나레이터|해설|대사|멘트|음성|성우|더빙|진행자|
lời thoại|lời bình|người dẫn|narasi|narator|naratorul|voce din off|narátor|narátorka|hang|narrátor|
राव
"""

_VISUAL: Final = """
visual|visuals|visual cue|visual cues|visual direction|visual directions|visual description|video|b-roll|broll|
b roll|shot|shots|
camera|screen|action|actions|show|shows|shown|footage|cut to|scene description|image|images|picture|pictures|
animation|animations|
motion graphics|graphics|on-screen action|on-screen visual|on-screen visuals|super shot|close-up|
close up|closeup|wide shot|wide|insert|screen recording|screenshot|screencast|card|end card|image prompt|
stock footage|setting|
location|framing|what they see|what we see|what appears on screen|frame|storyboard|transition|transitions|editing|
edit|zoom|pan|
video clip|clip|drone|drone shot|visual idea|visual note|visual notes|background|montage|establishing shot|direction|
shot description|shot type|staging|scene|
szene|scène|escena|cena|scena|scen|kohtaus|scéna|сцена|sahne|σκηνή|المشهد|مشهد|दृश्य|场景|場景|シーン|場面|장면|씬|
animação|animações|animación|animaciones|animazione|animazioni|animatie|animering|animacja|animace|анимация|
анімація|animasyon|动画|動畫|アニメーション|애니메이션|
bild|bilder|bildebene|kamera|kamerafahrt|schnitt|szenenbild|einstellungsgröße|visuell|visuelles|aufnahme|animation|
filmmaterial|
bildbeschreibung|im bild|zu sehen|bildschirm|großaufnahme|totale|detail|übergang|handlung|regie|regieanweisung|
visuel|visuels|plan|plans|image|images|images à l'écran|à l'image|caméra|montage|décor|gros plan|illustration|écran|
cadrage|
plano|planos|imagen|imágenes|imagen (b-roll)|cámara|toma|visuales|pantalla|recurso|recursos|primer plano|acción|
transición|
en pantalla|vídeo|descripción visual|montaje|material de apoyo|encuadre|
imagem|imagens|câmera|câmara|cena visual|tela|ação|enquadramento|corte|transição|descrição visual|
inquadratura|inquadrature|immagine|immagini|camera|telecamera|scena visiva|ripresa|riprese|visivo|visual (immagini)|
primo piano|
azione|transizione|montaggio|schermata|
beeld|beelden|in beeld|camera|shot|visueel|animatie|beeldscherm|overgang|actie|close|totaal|
bild|bilder|i bild|kamera|klipp|animation|närbild|visuellt|skärm|
billede|billeder|billedside|bilde|bilder|kamera|nærbillede|klip|
kuva|kuvassa|kuvat|kamera|lähikuva|animaatio|leikkaus|
obraz|obrazy|kadr|ujęcie|ujęcia|kamera|wizualizacja|animacja|na ekranie|zbliżenie|wizualnie|wideo|przejście|akcja|
przebitka|przebitki|
obraz|záběr|záběry|kamera|střih|animace|obrazovka|vizuál|detail|obraz/akce|ilustrační záběry|prostřih|
кадр|кадры|изображение|видео|видеоряд|картинка|план|крупный план|общий план|средний план|камера|визуал|визуально|
на экране|
анимация|монтаж|действие|переход|экран|съёмка|съемка|перебивка|перебивки|ракурс|в кадре|видеоряд|
кадр|зображення|відео|відеоряд|картинка|план|камера|візуал|анімація|на екрані|
görsel|görseller|görüntü|görüntüler|kamera|çekim|ekran|ekranda|plan|yakın plan|genel plan|animasyon|geçiş|video|
aksiyon|
εικόνα|εικόνες|πλάνο|πλάνα|κάμερα|οπτικά|οπτικό|οθόνη|στην οθόνη|κοντινό|γενικό πλάνο|animation|βίντεο|δράση|
الصورة|صورة|المشهد البصري|المرئيات|مرئيات|المرئي|البصري|بصري|اللقطة|لقطة|الكاميرا|الشاشة|رسوم متحركة|الفيديو|لقطات|
العنصر البصري|
दृश्य|दृश्यावली|चित्र|विज़ुअल|विजुअल|विज़ुअल्स|कैमरा|स्क्रीन|एनिमेशन|शॉट|फुटेज|बी-रोल|क्लोज़-अप|
画面|畫面|镜头|鏡頭|景别|景別|镜头语言|影像|视频|視頻|画面内容|画面描述|运镜|特写|动作|转场|背景画面|素材|图片|动画|
分镜|拍摄|视觉|
映像|画|画像|絵|カメラ|シーン映像|ビジュアル|背景|動画|アニメーション|カット割り|演出|インサート|ショット|
画面イメージ|イメージ映像|
화면|영상|장면 설명|그림|이미지|카메라|비주얼|샷|연출|배경|애니메이션|인서트|자료화면|화면 구성|화면 설명|
hình ảnh|cảnh quay|gambar|imagine|cadru|kép|obrázok|záber
"""

_TEXT: Final = """
on-screen text|on screen text|onscreen text|on screen|on-screen|onscreen|text on screen|text on-screen|screen text|
text overlay|overlay|overlay text|text|super|supers|title card|
lower third|lower-third|lower thirds|caption text|caption on screen|on-screen caption|on-screen captions|graphic|
graphic text|
chyron|subtitle|subtitles|titles|text card|end card text|on-screen title|on-screen graphic|on-screen graphics|
kinetic text|
text popup|text pop-up|banner|
einblendung|einblendungen|texteinblendung|text-einblendung|bauchbinde|textoverlay|text-overlay|text im bild|schrift|
schrifttafel|insert|
text auf dem bildschirm|bildschirmtext|untertitel|titeleinblendung|on-screen-text|onscreen-text|texttafel|
texte à l'écran|texte à l’écran|texte écran|texte affiché|texte à l'image|texte à l’image|incrustation|
incrustation texte|sous-titre|sous-titres|titre à l'écran|
titre à l’écran|bandeau|synthé|carton|texte incrusté|texte superposé|
rótulo|rótulos|texto en pantalla|texto pantalla|texto superpuesto|sobreimpresión|sobreimpreso|subtítulo|subtítulos|
cartela|título en pantalla|
texto na tela|texto em tela|texto de tela|texto no ecrã|texto em ecrã|legenda|legendas|letreiro|lettering|cartela|
gc|texto sobreposto|tarja|texto na imagem|
testo a schermo|testo su schermo|testo sullo schermo|testo in sovrimpressione|sovrimpressione|sottopancia|scritta|
scritte|grafica|didascalia|sottotitolo|sottotitoli|cartello|titolo a schermo|
tekst in beeld|beeldtekst|tekst op scherm|tekst op het scherm|titel in beeld|ondertitel|ondertiteling|tekst|
titelkaart|
text i bild|bildtext|textskylt|skylt|undertext|text på skärmen|skärmtext|grafik|namnskylt|
tekst på skærm|tekst på skærmen|tekst i billedet|tekst på skjermen|undertekst|skilt|
teksti|teksti ruudulla|ruututeksti|tekstitys|planssi|
napis|napisy|napis na ekranie|tekst na ekranie|plansza|belka|grafika|podpis|tekst ekranowy|
titulek|titulky|text na obrazovce|text v obraze|text na obraze|grafika|nápis|
титр|титры|текст на экране|надпись|надпись на экране|плашка|графика|субтитр|субтитры|подпись|текст в кадре|
титр|титри|текст на екрані|напис|напис на екрані|плашка|
ekran yazısı|ekranda yazı|ekrandaki yazı|ekran metni|ekrandaki metin|yazı|altyazı|alt bant|kj|grafik|başlık kartı|
κείμενο στην οθόνη|κείμενο οθόνης|τίτλος στην οθόνη|υπότιτλος|υπότιτλοι|λεζάντα|γραφικό|γραφικά|κείμενο|κάρτα|
نص على الشاشة|النص على الشاشة|نص الشاشة|نص الشاشه|النص الظاهر|كتابة على الشاشة|عنوان على الشاشة|نص|
स्क्रीन पर टेक्स्ट|स्क्रीन टेक्स्ट|ऑन-स्क्रीन टेक्स्ट|ऑनस्क्रीन टेक्स्ट|स्क्रीन पर लिखा|स्क्रीन पर पाठ|पाठ|टेक्स्ट|
ग्राफिक|स्क्रीन पर|
字幕|花字|屏幕文字|屏幕字幕|画面文字|文字|贴字|标题字幕|屏显|屏幕显示|文字特效|大字|字卡|上屏文字|
テロップ|字幕|スーパー|テキスト|画面テキスト|文字|タイトルテロップ|画面文字|オンスクリーンテキスト|テキスト表示|
文字テロップ|
자막|화면 자막|화면 텍스트|텍스트|타이틀|자막 텍스트|화면 글자|화면 문구|문구|
chữ trên màn hình|teks di layar|teks layar|text pe ecran|felirat|text na obrazovke
"""

_SOUND: Final = """
music|sfx|sound|sounds|sound effect|sound effects|sound fx|sound design|bgm|background music|fx|music / sfx|
music cue|soundtrack|jingle|
ambience|ambient|ambient sound|score|audio cue|music bed|nat sound|natsot|silence|
musik|hintergrundmusik|geräusch|geräusche|soundeffekt|soundeffekte|sound|atmo|klang|musik/sound|o-ton|toneffekt|
musique|musique de fond|son|sons|bruit|bruitage|bruitages|effet sonore|effets sonores|ambiance|ambiance sonore|
música|música de fondo|sonido|sonidos|efecto de sonido|efectos de sonido|efecto|efectos|efecto sonoro|
sonido ambiente|ambiente|cortina|
música de fundo|trilha|trilha sonora|som|sons|efeito sonoro|efeitos sonoros|efeito de som|efeitos|banda sonora|
som ambiente|
musica|musica di sottofondo|suono|suoni|effetto sonoro|effetti sonori|effetto|effetti|rumore|rumori|colonna sonora|
sottofondo|audio ambiente|
muziek|achtergrondmuziek|geluid|geluiden|geluidseffect|geluidseffecten|
bakgrundsmusik|ljud|ljudeffekt|ljudeffekter|ljudläggning|
baggrundsmusik|lyd|lydeffekt|lydeffekter|bakgrunnsmusikk|musikk|
musiikki|ääni|äänet|äänitehoste|äänitehosteet|taustamusiikki|
muzyka|muzyka w tle|dźwięk|dźwięki|efekt dźwiękowy|efekty dźwiękowe|efekt|podkład|
hudba|zvuk|zvuky|zvukový efekt|zvukové efekty|ruch|ruchy|podkres|
музыка|фоновая музыка|звук|звуки|звуковой эффект|звуковые эффекты|шум|шумы|саундтрек|интершум|музыка/звук|
музика|фонова музика|звук|звуки|звуковий ефект|шуми|
müzik|fon müziği|arka plan müziği|ses efekti|ses efektleri|efekt|efektler|fon|
μουσική|ήχος|ήχοι|ηχητικό εφέ|ηχητικά εφέ|εφέ|μουσική υπόκρουση|
موسيقى|الموسيقى|مؤثرات صوتية|المؤثرات الصوتية|مؤثر صوتي|موسيقى خلفية|الموسيقى الخلفية|مؤثرات|صوت خلفي|المؤثرات|
संगीत|पृष्ठभूमि संगीत|ध्वनि|ध्वनि प्रभाव|बैकग्राउंड म्यूज़िक|बैकग्राउंड म्यूजिक|साउंड|म्यूज़िक|म्यूजिक|साउंड इफेक्ट|
音乐|音樂|音效|背景音乐|背景音樂|bgm|配乐|環境音|环境音|背景音|同期声|
音楽|効果音|bgm|se|環境音|背景音楽|サウンド|ジングル|音響|
음악|효과음|배경음악|배경 음악|브금|사운드|음향|bgm|
nhạc|nhạc nền|âm thanh|musik latar|efek suara|muzică|sunet|zene|hang effekt
"""

_ROLE: Final = """
hook|intro|introduction|body|outro|cta|call to action|call-to-action|opening|closing|conclusion|close|main|
main content|value|proof|problem|
solution|payoff|pay-off|punchline|setup|set-up|reveal|twist|teaser|cold open|credits|end screen|end|ending|
main point|point|tip|
agitate|agitation|offer|recap|reason|summary|value bomb|story|segment|transition|rehook|re-hook|example|demo|step|
fact|lesson|takeaway|
einstieg|aufhänger|hauptteil|abspann|einleitung|schluss|vorspann|aufmacher|pointe|ende|fazit|mittelteil|lösung|
handlungsaufforderung|start|beispiel|schritt|tipp|
accroche|développement|chute|appel à l'action|appel à l’action|corps|ouverture|fin|solution|problème|générique|
exemple|
gancho|introducción|desarrollo|cierre|llamada a la acción|llamado a la acción|remate|apertura|final|conclusión|
problema|solución|nudo|desenlace|cuerpo|ejemplo|
abertura|introdução|desenvolvimento|fechamento|encerramento|chamada para ação|chamada para a ação|chamada à ação|
conclusão|solução|corpo|fecho|exemplo|
gancio|introduzione|sviluppo|chiusura|invito all'azione|invito all’azione|apertura|finale|conclusione|aggancio|
problema|soluzione|corpo|esempio|
haak|opening|inleiding|kern|afsluiting|slot|oproep|oproep tot actie|einde|oplossing|probleem|middenstuk|voorbeeld|
krok|inledning|öppning|avslut|avslutning|uppmaning|slut|mittdel|huvuddel|lösning|
åbning|indledning|afslutning|slutning|åpning|innledning|avslutning|koukku|aloitus|lopetus|johdanto|loppu|
haczyk|hak|wstęp|początek|rozwinięcie|zakończenie|wezwanie do działania|koniec|otwarcie|rozwiązanie|
háček|úvod|začátek|hlavní část|závěr|výzva k akci|výzva|konec|řešení|
хук|крючок|вступление|начало|основная часть|середина|концовка|финал|призыв|призыв к действию|заключение|завязка|
развязка|проблема|решение|
гачок|вступ|основна частина|кінець|фінал|заклик|заклик до дії|
kanca|giriş|açılış|gelişme|kapanış|sonuç|harekete geçirici mesaj|son|çağrı|eylem çağrısı|final|
άγκιστρο|εισαγωγή|έναρξη|άνοιγμα|κύριο μέρος|κλείσιμο|επίλογος|κάλεσμα σε δράση|κάλεσμα|τέλος|
الخطاف|المقدمة|مقدمة|الافتتاحية|افتتاحية|البداية|المحتوى|الخاتمة|خاتمة|النهاية|دعوة لاتخاذ إجراء|الدعوة|نداء|
हुक|परिचय|शुरुआत|मुख्य भाग|समापन|अंत|निष्कर्ष|कॉल टू एक्शन|
开头|开场|開場|开篇|钩子|正文|主体|结尾|結尾|收尾|片头|片尾|引入|高潮|结束|号召|行动号召|
オープニング|導入|冒頭|本編|本文|エンディング|締め|まとめ|つかみ|フック|結び|終わり|クロージング|展開|結論|
오프닝|도입|도입부|인트로|본론|본문|전개|마무리|엔딩|아웃트로|결론|클로징|훅
"""

#: Scenes by their number: "Scene 1", "第3场", "シーン1". Those of pictures: what follows the number is seen.
SCENES: Final = """
scene|scn|section|segment|part|chapter|beat|clip|slide|panel|block|
szene|abschnitt|teil|kapitel|block|bild|
scène|séquence|partie|chapitre|escena|secuencia|parte|bloque|capítulo|cena|sequência|bloco|scena|sequenza|blocco|
capitolo|
scène|scene|deel|blok|scen|del|avsnitt|scene|afsnit|kohtaus|osa|
scena|część|odcinek|scéna|část|díl|сцена|часть|эпизод|блок|сцена|частина|епізод|
sahne|bölüm|kısım|σκηνή|μέρος|ενότητα|المشهد|مشهد|الجزء|الفقرة|दृश्य|सीन|भाग|
场景|場景|场次|场|幕|段落|部分|片段|シーン|場面|パート|第|セクション|장면|씬|파트|신
"""
SHOTS: Final = """
shot|frame|take|einstellung|plan|plano|toma|inquadratura|shotnr|ujęcie|kadr|záběr|кадр|план|çekim|plan|πλάνο|اللقطة|
لقطة|शॉट|
镜头|鏡頭|镜号|分镜|カット|ショット|컷|샷|opname|tagning|bildruta|otos|skud
"""
SLIDES: Final = """
slide|folie|diapositive|diapo|diapositiva|slajd|snímek|слайд|slayt|διαφάνεια|الشريحة|شريحة|स्लाइड|幻灯片|幻燈片|
スライド|슬라이드|
dia|lysbilde|dias|diabild|planche|lâmina|lámina|slajdy
"""

_TITLE: Final = """
title|video title|titel|videotitel|titre|titre de la vidéo|título|título del vídeo|título do vídeo|titolo|
titolo del video|titolo video|tytuł|tytuł filmu|název|název videa|
название|название видео|заголовок|тема|назва|başlık|video başlığı|τίτλος|τίτλος βίντεο|العنوان|عنوان الفيديو|عنوان|
शीर्षक|वीडियो शीर्षक|
标题|標題|视频标题|题目|タイトル|動画タイトル|題名|제목|영상 제목|tittel|rubrik|otsikko|project|projekt|tiêu đề|
judul|titlu|cím|názov
"""
_LENGTH: Final = """
duration|length|runtime|total runtime|total duration|total length|total time|time|timing|timecode|timestamp|
running time|est. runtime|estimated runtime|estimated length|trt|secs|seconds|
dauer|länge|gesamtlänge|gesamtdauer|zeit|laufzeit|timecode|durée|durée totale|temps|minutage|timing|duración|
duración total|tiempo|duração|duração total|tempo|durata|durata totale|minutaggio|
duur|tijd|lengte|totale duur|längd|tid|speltid|varighed|varighet|lengde|kesto|aika|czas|czas trwania|długość|délka|
čas|stopáž|
длительность|продолжительность|хронометраж|время|тайминг|тривалість|час|хронометраж|süre|toplam süre|zaman|uzunluk|
διάρκεια|χρόνος|
المدة|مدة|الوقت|الزمن|مدة الفيديو|अवधि|समय|कुल अवधि|时长|時長|时间|時間|总时长|预计时长|尺|長さ|秒数|タイム|尺|時間|
길이|시간|러닝타임|영상 길이|분량
"""
_TAGS: Final = """
hashtags|hashtag|tags|tag|keywords|schlagwörter|schlagworte|mots-clés|hashtags suggérés|etiquetas|palabras clave|
palavras-chave|parole chiave|
trefwoorden|taggar|nøgleord|słowa kluczowe|tagi|štítky|хештеги|хэштеги|теги|хештеги|etiketler|konu etiketleri|
ετικέτες|الهاشتاغات|الهاشتاقات|هاشتاغات|هاشتاق|وسوم|الوسوم|
हैशटैग|टैग|标签|話題|话题|话题标签|ハッシュタグ|タグ|해시태그|태그
"""
_CAPTION: Final = """
caption|post caption|video caption|description|video description|caption/description|beschreibung|videobeschreibung|
bildunterschrift|légende|description de la vidéo|
descripción|descripción del vídeo|pie de foto|descrição|legenda do post|legenda do vídeo|descrizione|
didascalia del post|beschrijving|bijschrift|beskrivning|bildtext för inlägget|beskrivelse|
opis|opis filmu|popisek|popis|описание|описание видео|опис|açıklama|video açıklaması|περιγραφή|الوصف|وصف الفيديو|
विवरण|कैप्शन|简介|視頻簡介|视频简介|文案简介|発信文|概要欄|概要|説明文|キャプション|설명|영상 설명|캡션
"""
_FACT: Final = """
target audience|audience|tone|tone of voice|style|format|platform|word count|words|aspect ratio|mood|genre|goal|
objective|topic|subject|version|date|language|
voice style|pace|pacing|energy|vibe|director|writer|written by|client|props|wardrobe|cast|location|call sheet|notes|
production notes|production note|editor's note|editor note|notes for editor|note to editor|delivery|
zielgruppe|stil|plattform|stimmung|thema|ton|tonalität|wortzahl|wörter|seitenverhältnis|requisiten|
hinweis für den schnitt|regiehinweis|
public|public cible|ton|style|plateforme|format|nombre de mots|sujet|accessoires|ambiance générale|
público|público objetivo|tono|estilo|plataforma|formato|tema|número de palabras|recuento de palabras|público-alvo|
tom|contagem de palavras|
pubblico|tono|stile|piattaforma|formato|tema|argomento|conteggio parole|numero di parole|attrezzatura|
doelgroep|toon|stijl|platform|formaat|onderwerp|aantal woorden|målgrupp|ton|stil|plattform|antal ord|ämne|målgruppe|
tone|antall ord|
grupa docelowa|ton|styl|platforma|temat|liczba słów|cílová skupina|tón|styl|platforma|téma|počet slov|
аудитория|целевая аудитория|тон|стиль|формат|платформа|количество слов|настроение|реквизит|аудиторія|тон|стиль|
hedef kitle|ton|üslup|stil|platform|format|konu|kelime sayısı|κοινό|τόνος|ύφος|πλατφόρμα|θέμα|λέξεις|
الجمهور|الجمهور المستهدف|النبرة|الأسلوب|المنصة|الموضوع|عدد الكلمات|दर्शक|लक्षित दर्शक|शैली|लहजा|मंच|विषय|शब्द संख्या|
受众|目标受众|风格|語氣|语气|平台|主题|字数|ターゲット|対象|トーン|スタイル|形式|媒体|文字数|テーマ|대상|타깃|톤|
스타일|플랫폼|형식|주제|글자 수|콘셉트
"""


def folded(word: str) -> str:
    """The form of a word in which it is looked up."""
    return " ".join(word.replace("\u0130", "i").casefold().split())


def listed(text: str) -> tuple[str, ...]:
    """The words of a list."""
    return tuple(dict.fromkeys(folded(word) for word in text.replace("\n", "|").split("|") if word.strip()))


def _kinds() -> dict[str, Kind]:
    lists: tuple[tuple[Kind, str], ...] = (
        ("speech", _SPEECH), ("text", _TEXT), ("sound", _SOUND), ("visual", _VISUAL), ("title", _TITLE),
        ("length", _LENGTH), ("tags", _TAGS), ("caption", _CAPTION), ("role", _ROLE), ("fact", _FACT),
    )  # fmt: skip
    found: dict[str, Kind] = {}
    for kind, text in lists:
        for word in listed(text):
            found.setdefault(word, kind)
    return found


#: The kind of each label; a word that stands in several lists has that of the first.
KINDS: Final = _kinds()

#: A label of this word is also ordinary text, and counts for nothing where a shape is decided.
COMMON: Final = frozenset(
    listed(
        "text|tekst|texto|testo|teksti|κείμενο|نص|पाठ|文字|テキスト|텍스트|line|lines|step|tip|point|"
        "example|fact|summary|"
        "conclusion|introduction|story|end|start|problem|solution|value|offer|title|time|date|notes|topic|"
        "version|language|"
        "location|background|style|format|platform|description|tags|keywords|segment|action|actions|detail|"
        "plan|off|ton|voice|"
        "stimme|stem|voz|voce|głos|hlas|голос|ses|φωνή|صوت|आवाज|声音|音声|script|copy|main|close|setting|"
        "direction|efekt|efecto|"
        "ambiente|effetto|silence|graphic|graphics|grafik|grafika|banner|host|speaker|moderator|"
        "moderatorin|commento|comment|"
        "kommentar|komentarz|komentář|司会|主持人|解説|讲解|problema|problème|solución|solution|lösung|"
        "beispiel|exemple|ejemplo|esempio|voorbeeld|"
        "presenter|presentadora|presentador|conduttore|programledare|sunucu|ведущий|ведущая|prowadzący|"
        "prowadząca|진행자"
    )
)

#: Signs before a label, or instead of one.
EMOJI: Final[dict[str, Kind]] = {
    **dict.fromkeys("🎥📹📽🎞📷📸🖼👁🎦🏞👀", "visual"),
    **dict.fromkeys("🎙🗣🎤📢💁", "speech"),
    **dict.fromkeys("🎵🎶🎼🔊🔉🔈🎧🎹🎸🥁🔇", "sound"),
    **dict.fromkeys("📝💬🔤🔠🅰🆎✍", "text"),
    **dict.fromkeys("⏱⏰🕒⌛⏳", "length"),
    **dict.fromkeys("🏷", "tags"),
}

#: Lines that say how pictures follow each other.
CUTS: Final = listed(
    "fade in|fade out|fade to black|fade to white|cut to|cut to black|smash cut|smash cut to|match cut|"
    "dissolve to|dissolve|wipe to|jump cut|end|the end|fin|"
    "fade up|fade in from black|smash to black|intercut|back to scene|abblende|aufblende|schnitt auf|"
    "schnitt|ende|coupe au noir|fondu au noir|fondu|coupe à|noir|fin du film|"
    "corte a|funde a negro|fundido a negro|fundido a|fade a negro|fin|corta para|corte para|fim|"
    "dissolvenza|dissolvenza su nero|stacco|stacco su|taglio a|fine|nero|"
    "overgang naar|zwart|einde|klipp till|tona ut|tona in|slut|ściemnienie|rozjaśnienie|cięcie|przenikanie|"
    "koniec|střih|střih na|zatmívačka|roztmívačka|prolínačka|konec|"
    "затемнение|из затемнения|в затемнение|монтажный переход|конец|переход|kararma|açılma|kesme|son|τέλος|"
    "fade|cut|黑场|淡出|淡入|完|终|暗転|フェードアウト|フェードイン|カット|終|페이드 아웃|페이드 인|컷|끝|"
    "نهاية|قطع"
)
